//! YAML files as people write them, some hundreds, made from a few of each kind: Helm values, Compose, workflows,
//! Ansible, Kustomize, Kubernetes Secrets, home automation, plain configuration.
//!
//! In a template `>` stands for one indentation, `~` for that of a list in a mapping, and `%…%` for a comment.

/// A file of the corpus.
pub struct File {
    /// What it is, and how it is written.
    pub name: String,
    /// The text.
    pub text: String,
    /// What comes back when it was encrypted and decrypted, where a style is not kept.
    pub back: String,
    /// A path that is encrypted, for `set`.
    pub path: Vec<&'static str>,
}

/// How a file is written.
#[derive(Clone, Copy)]
struct Form {
    indent: usize,
    list: usize,
    crlf: bool,
    comments: bool,
    final_break: bool,
}

const TEMPLATES: [(&str, &[&str], &str); 8] = [
    (
        "helm",
        &["auth", "password"],
        "%# Default values for the chart%\n%# Declare variables here%\nreplicaCount: 1\n\nimage:\n>repository: nginx   %# the image%\n>tag: \"1.25\"\n>pullPolicy: IfNotPresent\n\nauth:\n>%# must be long%\n>user: 'admin'\n>password: \"s3cr3t\" %# change me%\n>tokenSecret: abc\n\ningress:\n>hosts:\n>~- host: a.example\n>~  paths: [\"/\", \"/api\"]\n>~- host: b.example\n>annotations: {}\nresources: {limits: {cpu: 100m, memory: 128Mi}}\ntolerations: []\n",
    ),
    (
        "compose",
        &["services", "db", "environment", "POSTGRES_PASSWORD"],
        "version: \"3.8\"\nservices:\n>web:\n>>image: \"nginx:1.25\"\n>>ports:\n>>~- \"8080:80\"\n>>~- 443:443\n>>depends_on: [db, cache]\n>>command: [\"run\", \"--flag\"]\n\n>db:\n>>image: postgres:16   %# pinned%\n>>environment:\n>>>POSTGRES_USER: app\n>>>POSTGRES_PASSWORD: hunter2\n>>>DEBUG: \"false\"\n>>volumes:\n>>~- data:/var/lib/postgresql/data\nvolumes:\n>data:\n",
    ),
    (
        "workflow",
        &["env", "API_TOKEN"],
        "name: CI\non:\n>push:\n>>branches: [main]\n>pull_request:\n\nenv:\n>API_TOKEN: 'abc-def'\n>LEVEL: info\njobs:\n>build:\n>>runs-on: ubuntu-latest\n>>steps:\n>>~- uses: actions/checkout@v4\n>>~%# build it%\n>>~- name: Build\n>>~  run: |\n>>~   >make\n>>~   >make test\n>>~- name: Done\n>>~  if: ${{ success() }}\n",
    ),
    (
        "ansible",
        &["db_password"],
        "---\n%# group variables%\nansible_user: deploy\nansible_port: 22\ndb_password: \"pa ss: word\"\nusers:\n~- name: alice\n~  groups: [wheel, docker]\n~  secret: one\n~- name: bob\n~  secret: 'two'\n\npackages:\n~- vim\n~- git   %# needed%\n...\n",
    ),
    (
        "kustomize",
        &["secretGenerator_token"],
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n~- deployment.yaml\n~- service.yaml\n\n%# patches follow%\npatches:\n~- target:\n~  >kind: Deployment\n~  path: patch.yaml\nsecretGenerator_token: t0k3n\nimages:\n~- {name: app, newTag: v1.2.3}\n",
    ),
    (
        "secrets",
        &["stringData", "password"],
        "apiVersion: v1\nkind: Secret\nmetadata:\n>name: first\n>labels: &labels\n>>app: demo\nstringData:\n>password: one\n>key: |\n>>-----BEGIN KEY-----\n>>abc\n>>-----END KEY-----\n---\napiVersion: v1\nkind: Secret\nmetadata:\n>name: second\n>labels:\n>>app: demo\ntype: Opaque\nstringData:\n>%# inner%\n>password: \"two\"\n",
    ),
    (
        "home",
        &["http_password"],
        "homeassistant:\n>name: Home\n>latitude: 52.37\n>unit_system: metric\n>customize: !include customize.yaml\n>packages: !include_dir_named packages\n\nhttp_password: !secret http_password\nautomation:\n~- alias: \"Lights\"\n~  trigger:\n~  ~- platform: sun\n~  ~  event: sunset\n~  action:\n~  ~- service: light.turn_on\nlight: !include lights.yaml\n",
    ),
    (
        "plain",
        &["database", "password"],
        "%# Settings%\n\ndatabase:\n>host: localhost\n>port: 5432\n>password: \"\\u00e9 x\"\n>options: &defaults\n>>timeout: 30\n>>retries: 3\ncache:\n><<: *defaults\n>ttl: 0x1F\n>enabled: yes\nempty:\nnothing: ~\nlong: a text that goes on\n>>on the next line\nfolded: >-\n>this is\n>folded\nsecret: >-\n>some folded\n>text\nlast: end\n",
    ),
];

/// The rule by which the files are encrypted.
pub const RULE: &str = "encrypted_regex=(?i)(password|token|secret$|stringData)";

/// All files.
#[must_use]
pub fn files() -> Vec<File> {
    let mut files = Vec::new();
    for (kind, path, template) in TEMPLATES {
        for number in 0..32_usize {
            let is = |bit: usize| number >> bit & 1 == 1;
            let indent = if is(0) { 4 } else { 2 };
            let form = Form {
                indent,
                list: if is(1) { indent } else { 0 },
                crlf: is(2),
                comments: is(3),
                final_break: !is(4),
            };
            let text = written(template, form);
            files.push(File {
                name: format!("{kind}-{number}"),
                back: back(&text, form),
                text,
                path: path.to_vec(),
            });
        }
    }
    files
}

fn written(template: &str, form: Form) -> String {
    let mut text = String::new();
    for line in template.lines() {
        let mut rest = line;
        let mut out = String::new();
        loop {
            let width = match rest.as_bytes() {
                // Behind a key these are signs of YAML.
                [b'>', ..] => form.indent,
                [b'~', ..] => form.list,
                [b' ', ..] => 1,
                _ => break,
            };
            out.push_str(&" ".repeat(width));
            rest = &rest[1..];
        }
        match rest.split_once('%') {
            Some((before, comment)) if form.comments => {
                out.push_str(before);
                out.push_str(comment.trim_end_matches('%'));
            }
            // A line with nothing but a comment goes with it.
            Some((before, _)) if before.trim().is_empty() => continue,
            Some((before, _)) => out.push_str(before.trim_end()),
            None => out.push_str(rest),
        }
        text.push_str(&out);
        text.push_str(if form.crlf { "\r\n" } else { "\n" });
    }
    if !form.final_break {
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
    }
    text
}

/// The styles of encrypted values that are not kept.
fn back(text: &str, form: Form) -> String {
    let line_break = if form.crlf { "\r\n" } else { "\n" };
    let indent = " ".repeat(form.indent);
    let folded = format!("secret: >-{line_break}{indent}some folded{line_break}{indent}text");
    text.replace(&folded, "secret: some folded text").replace("\"\\u00e9 x\"", "\"é x\"")
}
