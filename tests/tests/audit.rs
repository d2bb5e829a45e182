//! The audit log against a real PostgreSQL: the rows are those of sops, and without a row nothing is done.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use ksops_tests::etc::Etc;
use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::postgres::{PASSWORD, Postgres};
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;

struct Bench {
    sandbox: Sandbox,
    server: Postgres,
    etc: Etc,
    ksops: Program,
    keys: AgeKeys,
}

impl Bench {
    fn new(with_tls: bool) -> Option<Self> {
        let (sandbox, keys) = (Sandbox::new(), AgeKeys::read());
        if with_tls {
            fs::create_dir(sandbox.path("pg")).expect("own folder");
            certificate(&sandbox, "ca", None);
            certificate(&sandbox, "pg/server", Some("ca"));
            certificate(&sandbox, "other", None);
        }
        let server = Postgres::start(&sandbox, "pg")?;
        let etc = Etc::new(&sandbox);
        sandbox.write("keys.txt", keys.identity_file());
        let rule = format!(
            "creation_rules:\n  - path_regex: \\.yaml$\n    age: {},{}\n",
            keys.recipients[0], keys.recipients[1]
        );
        sandbox.write(".sops.yaml", rule);
        let ksops = Program::at(Program::ksops().path().canonicalize().expect("found before"));
        Some(Self { sandbox, server, etc, ksops, keys })
    }

    fn connection(&self, host: &str, more: &str) {
        let port = self.server.port;
        self.etc.audit(&format!(
            "backends:\n  postgres:\n    - connection_string: \
             'postgres://sops:{PASSWORD}@{host}:{port}/postgres{more}'\n"
        ));
    }

    fn run(&self, program: &Program, args: &[&str]) -> Outcome {
        self.run_with(program, args, "")
    }

    fn run_with(&self, program: &Program, args: &[&str], stdin: &str) -> Outcome {
        let call = self.etc.call(program, &self.sandbox);
        let call = call.env("SOPS_AGE_KEY_FILE", self.sandbox.path("keys.txt")).args(args);
        call.env("EDITOR", "sed -i s/one/two/").stdin(stdin).run()
    }

    fn rows(&self) -> Vec<String> {
        self.server.rows("DELETE FROM audit_event RETURNING action || ' ' || username || ' ' || file")
    }

    /// A file as it was before each command.
    fn encrypted(&self) {
        self.sandbox.write("plain.yaml", "a: one\n");
        let call = self.ksops.call(&self.sandbox).args(["encrypt", "--output", "f.yaml", "plain.yaml"]);
        assert_eq!(call.run().status, 0);
    }
}

/// A certificate for `localhost`, by default its own authority.
fn certificate(sandbox: &Sandbox, name: &str, issuer: Option<&str>) {
    let (key, out) = (sandbox.path(&format!("{name}.key")), sandbox.path(&format!("{name}.crt")));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
    command.args([
        "-days",
        "2",
        "-subj",
        &format!("/CN={}", name.replace('/', "-")),
        "-addext",
        "subjectAltName=DNS:localhost",
    ]);
    if let Some(issuer) = issuer {
        command.arg("-CA").arg(sandbox.path(&format!("{issuer}.crt")));
        command.arg("-CAkey").arg(sandbox.path(&format!("{issuer}.key")));
        command.args(["-addext", "basicConstraints=CA:FALSE"]);
    }
    let output = command.arg("-keyout").arg(&key).arg("-out").arg(out).output().expect("openssl starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).expect("own file");
}

#[test]
fn the_rows_are_those_of_sops() {
    let Some(sops) = oracle::sops() else { return };
    let Some(bench) = Bench::new(false) else { return };
    bench.connection("127.0.0.1", "?sslmode=disable");
    let key = &bench.keys.recipients[2];
    let calls: [(&[&str], &str, usize); 16] = [
        (&["encrypt", "plain.yaml"], "", 1),
        (&["encrypt", "-i", "plain.yaml"], "", 1),
        (&["encrypt", "--filename-override", "x.yaml"], "a: b\n", 1),
        (&["decrypt", "f.yaml"], "", 1),
        (&["decrypt", "--extract", "[\"a\"]", "f.yaml"], "", 1),
        (&["-d", "f.yaml"], "", 1),
        (&["exec-env", "f.yaml", "true"], "", 1),
        (&["exec-file", "--no-fifo", "f.yaml", "true"], "", 1),
        (&["set", "f.yaml", "[\"a\"]", "\"b\""], "", 2),
        (&["unset", "f.yaml", "[\"a\"]"], "", 2),
        (&["edit", "f.yaml"], "", 2),
        (&["rotate", "-i", "f.yaml"], "", 3),
        (&["updatekeys", "-y", "f.yaml"], "", 0),
        (&["groups", "add", "-i", "-f", "f.yaml", "--age", key], "", 0),
        (&["filestatus", "f.yaml"], "", 0),
        (&["decrypt", "nothing.yaml"], "", 0),
    ];
    for (args, stdin, count) in calls {
        let run = |program: &Program| {
            bench.encrypted();
            let outcome = bench.run_with(program, args, stdin);
            let mut rows = bench.rows();
            rows.sort();
            (outcome, rows)
        };
        let ((ours, our_rows), (theirs, their_rows)) = (run(&bench.ksops), run(&sops));
        assert_eq!(ours.status, theirs.status, "{args:?}: {}\n{}", ours.report(), theirs.report());
        assert_eq!(our_rows, their_rows, "{args:?}");
        assert_eq!(our_rows.len(), count, "{args:?}: {our_rows:?}");
    }
}

#[test]
fn every_file_of_a_folder_has_its_row() {
    let Some(bench) = Bench::new(false) else { return };
    bench.connection("127.0.0.1", "?sslmode=disable");
    fs::create_dir(bench.sandbox.path("d")).expect("own folder");
    for number in 0..20 {
        bench.sandbox.write(&format!("d/{number}.yaml"), "a: b\n");
    }
    let outcome = bench.run(&bench.ksops, &["encrypt", "-i", "-r", "d"]);
    assert_eq!(outcome.status, 0, "{}", outcome.report());
    assert_eq!(bench.rows().len(), 20);
}

#[test]
fn without_a_row_nothing_is_done() {
    let Some(bench) = Bench::new(false) else { return };
    bench.connection("127.0.0.1", "?sslmode=disable");
    bench.encrypted();
    let before = bench.sandbox.read("f.yaml");
    let refused = |why: &str, expected: &str| {
        for args in [
            &["decrypt", "f.yaml"][..],
            &["decrypt", "-i", "f.yaml"],
            &["set", "f.yaml", "[\"a\"]", "\"b\""],
            &["rotate", "-i", "f.yaml"],
            &["edit", "f.yaml"],
            &["encrypt", "-i", "plain.yaml"],
            &["exec-env", "f.yaml", "echo started"],
            &["updatekeys", "-y", "f.yaml"],
        ] {
            let outcome = bench.run(&bench.ksops, args);
            let is_without_rows = args[0] == "updatekeys" && why == "may not insert";
            assert!(outcome.status == 1 || is_without_rows, "{why}: {args:?}: {}", outcome.report());
            assert!(outcome.errors().contains(expected) || is_without_rows, "{why}: {}", outcome.report());
            assert!(!outcome.errors().contains(PASSWORD), "{why}: {}", outcome.report());
            assert_eq!(outcome.stdout, b"", "{why}: {args:?}");
            assert_eq!(bench.sandbox.read("f.yaml"), before, "{why}: {args:?}");
            assert_eq!(bench.sandbox.read("plain.yaml"), b"a: one\n", "{why}: {args:?}");
        }
        assert_eq!(bench.run(&bench.ksops, &["filestatus", "f.yaml"]).status, 0, "{why}");
    };
    bench.server.query("REVOKE INSERT ON audit_event FROM sops");
    refused("may not insert", "permission denied for table audit_event");
    bench.server.query("GRANT INSERT ON audit_event TO sops; ALTER ROLE sops NOLOGIN");
    refused("may not log in", "not permitted to log in");
    bench.server.query("ALTER ROLE sops LOGIN");
    bench.server.stop();
    refused("down", "127.0.0.1: error connecting to server: connection refused");
    bench.server.go();
    for (text, expected) in [
        (format!("backends: {{mysql: [{PASSWORD}]}}\n"), "field mysql not found"),
        (format!("backends: {{postgres: [{{connection_string: {PASSWORD}}}]}}\n"), "word without a value"),
        (format!("backends: {{postgres: [{{connection_string: sslkey={PASSWORD}}}]}}\n"), "`sslkey`"),
        (format!("backends: [{PASSWORD}\n"), "audit.yaml"),
    ] {
        bench.etc.audit(&text);
        refused(&text, expected);
    }
    bench.connection("127.0.0.1", "?sslmode=disable");
    assert_eq!(bench.run(&bench.ksops, &["decrypt", "f.yaml"]).status, 0);
    bench.etc.no_audit();
    bench.server.stop();
    assert_eq!(bench.run(&bench.ksops, &["decrypt", "f.yaml"]).status, 0);
}

#[test]
fn the_server_is_trusted_as_far_as_the_connection_string_says() {
    let Some(sops) = oracle::sops() else { return };
    let Some(bench) = Bench::new(true) else { return };
    bench.encrypted();
    let file = |name: &str| bench.sandbox.path(name).display().to_string();
    let (authority, server, other) = (file("ca.crt"), file("pg/server.crt"), file("other.crt"));
    for (host, settings, is_trusted) in [
        ("localhost", "", true),
        ("localhost", "?sslmode=require", true),
        ("localhost", &format!("?sslmode=verify-full&sslrootcert={authority}"), true),
        ("127.0.0.1", &format!("?sslmode=verify-full&sslrootcert={authority}"), false),
        ("127.0.0.1", &format!("?sslmode=verify-ca&sslrootcert={authority}"), true),
        ("localhost", &format!("?sslmode=verify-full&sslrootcert={server}"), true),
        ("127.0.0.1", &format!("?sslmode=verify-full&sslrootcert={server}"), false),
        ("127.0.0.1", &format!("?sslmode=verify-ca&sslrootcert={server}"), true),
        ("localhost", &format!("?sslmode=verify-ca&sslrootcert={other}"), false),
        ("localhost", &format!("?sslmode=require&sslrootcert={other}"), false),
        ("localhost", "?sslmode=require&sslrootcert=/nowhere", true),
        ("localhost", "?sslmode=verify-full", false),
    ] {
        bench.connection(host, settings);
        for program in [&bench.ksops, &sops] {
            let outcome = bench.run(program, &["decrypt", "f.yaml"]);
            assert_eq!(outcome.status == 0, is_trusted, "{host}{settings}: {}", outcome.report());
            assert_eq!(bench.rows().len(), usize::from(is_trusted), "{host}{settings}");
        }
    }
}

#[test]
fn a_connection_can_be_one_of_tls_only() {
    let Some(bench) = Bench::new(true) else { return };
    bench.encrypted();
    let access = bench.sandbox.path("pg/data/pg_hba.conf");
    fs::write(&access, "hostssl all all all scram-sha-256\n").expect("own file");
    assert_eq!(bench.server.rows("SELECT pg_reload_conf()"), ["t"]);
    bench.connection("127.0.0.1", "?sslmode=disable");
    let outcome = bench.run(&bench.ksops, &["decrypt", "f.yaml"]);
    assert_eq!(outcome.status, 1, "{}", outcome.report());
    bench.connection("127.0.0.1", "?sslmode=prefer");
    let outcome = bench.run(&bench.ksops, &["decrypt", "f.yaml"]);
    assert_eq!(outcome.status, 0, "{}", outcome.report());
}
