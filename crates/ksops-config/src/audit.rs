//! The file that asks for an audit log, `/etc/sops/audit.yaml` (cli-and-config.md section 6.3).

use ksops_yaml::syntax::NodeId;
use zeroize::Zeroizing;

use crate::decode::{Decoder, Field};
use crate::model::LoadError;
use crate::source;

/// Where rows are to be written. The texts hold passwords.
#[derive(Default)]
pub struct AuditConfig {
    /// `backends.postgres[].connection_string`, in order.
    pub postgres: Vec<Zeroizing<String>>,
}

impl AuditConfig {
    /// Reads the file. `name` is how it is called in messages. Unlike upstream a field that is not known is an error: it
    /// may be the one that asks for the audit.
    ///
    /// # Errors
    /// [`LoadError`] with everything that is wrong, or with the one place where the YAML is malformed.
    pub fn parse(input: &[u8], name: &str) -> Result<Self, LoadError> {
        let failed = |problems| LoadError { name: name.to_owned(), problems };
        let text = source::text(input).map_err(|problem| failed(vec![problem]))?;
        let document = source::first_document(&text).map_err(|problem| failed(vec![problem]))?;
        let Some((document, root)) =
            document.and_then(|document| document.root().map(|root| (document, root)))
        else {
            return Ok(Self::default());
        };
        let mut decoder = Decoder::new(&document, &text);
        let config = Self { postgres: connections(&mut decoder, root) };
        match decoder.finish() {
            problems if problems.is_empty() => Ok(config),
            problems => Err(failed(problems)),
        }
    }
}

fn connections(decoder: &mut Decoder<'_, '_>, root: NodeId) -> Vec<Zeroizing<String>> {
    let backends = only(decoder, root, "backends");
    let lists: Vec<Field> =
        backends.iter().flat_map(|field| only(decoder, field.value, "postgres")).collect();
    let entries: Vec<NodeId> =
        lists.iter().flat_map(|field| decoder.items(field.value).unwrap_or_default()).collect();
    let texts: Vec<Field> =
        entries.into_iter().flat_map(|entry| only(decoder, entry, "connection_string")).collect();
    texts.iter().filter_map(|field| decoder.text(field.value)).map(Zeroizing::new).collect()
}

/// The field of this name; others are reported.
fn only(decoder: &mut Decoder<'_, '_>, id: NodeId, name: &str) -> Vec<Field> {
    let fields = decoder.fields(id).unwrap_or_default();
    for field in fields.iter().filter(|field| field.name != name) {
        decoder.report(field.position, format!("field {} not found: there is {name} only", field.name));
    }
    fields.into_iter().filter(|field| field.name == name).collect()
}

#[cfg(test)]
mod tests {
    use super::AuditConfig;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let config = AuditConfig::parse(text.as_bytes(), "audit.yaml").map_err(|error| error.to_string())?;
        Ok(config.postgres.iter().map(|text| text.to_string()).collect())
    }

    #[test]
    fn finds_every_connection() {
        let text = "backends:\n  postgres:\n    - connection_string: \"postgres://a\"\n    - connection_string: host=b\n";
        assert_eq!(read(text), Ok(vec!["postgres://a".to_owned(), "host=b".to_owned()]));
        for none in
            ["", "# none\n", "backends:\n", "backends:\n  postgres: []\n", "backends: {postgres: [null]}\n"]
        {
            assert_eq!(read(none), Ok(Vec::new()), "{none:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for (text, place) in [
            ("backends:\n  postgresql:\n    - connection_string: x\n", "audit.yaml:2:3"),
            ("backend: {}\n", "audit.yaml:1:1"),
            ("backends: [x]\n", "audit.yaml:1:11"),
            ("backends: {postgres: [{connection: x}]}\n", "audit.yaml:1:24"),
            ("a: [\n", "audit.yaml:"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(place), "{text:?}: {error}");
        }
    }
}
