//! The scenarios as the file has them, placeholders replaced.
//!
//! Apart from running them, because real sops and ksops have different expectations of the same lines.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::fixtures;

/// The scenarios of the fixtures.
pub struct Scenarios {
    /// In the order of the file.
    pub list: Vec<Scenario>,
}

/// One command line and what must come of it.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its unique name.
    pub name: String,
    /// The object of the file, all placeholders but `{DIR}` replaced.
    pub fields: Value,
    /// Whether section 15 of cli-and-config.md wants another outcome than upstream's.
    pub differs: bool,
    /// Whether upstream crashes here.
    pub crash: bool,
}

impl Scenarios {
    /// Reads the scenarios as upstream behaves.
    ///
    /// # Panics
    /// If the file is not as its first line says.
    #[must_use]
    pub fn read() -> Self {
        let text = fixtures::text("cli/scenarios.jsonl");
        let mut lines =
            text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a JSON object a line"));
        let head = lines.next().expect("a first line");
        let placeholders = placeholders(&head["placeholders"]);
        let list = lines
            .map(|fields| {
                let fields = replace(&fields, &placeholders);
                Scenario {
                    name: fields["name"].as_str().expect("a name").to_owned(),
                    differs: fields["differs"].as_bool().unwrap_or_default(),
                    crash: fields["crash"].as_bool().unwrap_or_default(),
                    fields,
                }
            })
            .collect();
        Self { list }
    }

    /// Reads the scenarios as ksops has to behave: `fixtures/cli/differs.jsonl` replaces expectations.
    ///
    /// # Panics
    /// If that file names a scenario that there is not, or not as one that differs, without a reason.
    #[must_use]
    pub fn read_for_ksops() -> Self {
        let mut scenarios = Self::read();
        let head =
            serde_json::from_str(fixtures::text("cli/scenarios.jsonl").lines().next().unwrap_or_default());
        let placeholders = placeholders(&head.unwrap_or(Value::Null)["placeholders"]);
        for line in fixtures::text("cli/differs.jsonl").lines() {
            let own: Value = serde_json::from_str(line).expect("a JSON object a line");
            let own = replace(&own, &placeholders);
            let name = own["name"].as_str().expect("a name");
            assert!(
                own["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
                "{name}: needs a reason"
            );
            let scenario = scenarios.list.iter_mut().find(|scenario| scenario.name == name);
            scenario
                .unwrap_or_else(|| panic!("differs.jsonl: no scenario is called {name}"))
                .expect_instead(&own);
        }
        scenarios
    }
}

impl Scenario {
    /// Puts the expectations of `own` in place of all that there are.
    fn expect_instead(&mut self, own: &Value) {
        let (Some(fields), Some(own)) = (self.fields.as_object_mut(), own.as_object()) else { return };
        fields.retain(|name, _| {
            matches!(name.as_str(), "name" | "setup" | "args" | "stdin" | "cwd" | "env" | "needs")
        });
        fields.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        self.differs = false;
        self.crash = false;
    }

    /// The arguments.
    #[must_use]
    pub fn args(&self) -> Vec<String> {
        texts(&self.fields["args"])
    }
}

/// The texts in a list.
#[must_use]
pub fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The placeholders with their own placeholders replaced. `{DIR}` is known only when a scenario runs.
fn placeholders(head: &Value) -> BTreeMap<String, String> {
    let raw: BTreeMap<String, String> = head
        .as_object()
        .expect("the first line lists the placeholders")
        .iter()
        .filter(|(name, _)| *name != "DIR")
        .map(|(name, text)| (format!("{{{name}}}"), text.as_str().unwrap_or_default().to_owned()))
        .collect();
    raw.iter().map(|(name, text)| (name.clone(), replace_text(text, &raw))).collect()
}

/// Replaces in every text of `value`, names of objects included.
#[must_use]
pub fn replace(value: &Value, with: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(replace_text(text, with)),
        Value::Array(items) => items.iter().map(|item| replace(item, with)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (replace_text(name, with), replace(value, with)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn replace_text(text: &str, with: &BTreeMap<String, String>) -> String {
    with.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
}
