//! The gRPC key service, crosswise with real sops: each side's client asks the other side's server, over both kinds of
//! network (cli-and-config.md section 9).

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ksops_tests::fixtures::AgeKeys;
use ksops_tests::oracle;
use ksops_tests::program::{Outcome, Program};
use ksops_tests::sandbox::Sandbox;

const YAML: &str = "a: 1\nb: text\n";

/// A running server with the first age key.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(program: &Program, sandbox: &Sandbox, network: &str, more: &[&str]) -> Self {
        let place = match network {
            "unix" => sandbox.tmp().join("k.sock").display().to_string(),
            _ => free_port(),
        };
        let keys = sandbox.write("keys.txt", AgeKeys::read().identities[0].as_bytes());
        let path = program.path().canonicalize().expect("found before");
        let mut command = Command::new(path);
        command.args(["keyservice", "--network", network, "--address", &place]).args(more);
        command
            .env_clear()
            .env("HOME", sandbox.home())
            .env("SOPS_AGE_KEY_FILE", keys)
            .env("PATH", "/usr/bin:/bin");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().expect("starts");
        let scheme = if network == "unix" { format!("unix://{place}") } else { format!("tcp://{place}") };
        let start = Instant::now();
        let is_up = || match network {
            "unix" => Path::new(&place).exists(),
            _ => std::net::TcpStream::connect(&place).is_ok(),
        };
        while !is_up() {
            assert!(start.elapsed() < Duration::from_secs(20), "{scheme} does not listen");
            thread::sleep(Duration::from_millis(10));
        }
        Self { child, address: scheme }
    }

    fn end(mut self) -> Option<i32> {
        let status =
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill");
        assert!(status.success());
        self.child.wait().expect("ends").code()
    }
}

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").to_string()
}

/// Calls a program that has no key of its own.
fn run(program: &Program, sandbox: &Sandbox, args: &[&str]) -> Outcome {
    program.call(sandbox).args(args).run()
}

#[test]
fn each_side_asks_the_other_over_both_networks() {
    let Some(sops) = oracle::sops() else { return };
    let ksops = Program::ksops();
    let age = &AgeKeys::read().recipients[0];
    for (server, client) in [(&ksops, &sops), (&sops, &ksops), (&ksops, &ksops)] {
        for network in ["unix", "tcp"] {
            let sandbox = Sandbox::new();
            let running = Server::start(server, &sandbox, network, &[]);
            let case = format!("{:?} asks {:?} over {network}", client.path(), server.path());
            sandbox.write("f.yaml", YAML);
            let remote = ["--enable-local-keyservice=false", "--keyservice", &running.address];
            let encrypted =
                run(client, &sandbox, &[&["encrypt", "-i", "--age", age], &remote[..], &["f.yaml"]].concat());
            assert_eq!(encrypted.status, 0, "{case}: {}", encrypted.report());
            let decrypted = run(client, &sandbox, &[&["decrypt"], &remote[..], &["f.yaml"]].concat());
            assert_eq!(decrypted.output().as_deref(), Ok(YAML.as_bytes()), "{case}");
            // Without the server nobody can.
            let alone = run(client, &sandbox, &["decrypt", "f.yaml"]);
            assert_eq!(alone.status, 128, "{case}: {}", alone.report());
            let status = running.end();
            if server.path() == ksops.path() {
                assert_eq!(status, Some(0), "{case}");
                assert!(!sandbox.tmp().join("k.sock").exists(), "{case}: the socket stays");
            }
        }
    }
}

#[test]
fn the_services_are_asked_in_order_until_one_succeeds() {
    let sandbox = Sandbox::new();
    let ksops = Program::ksops();
    let server = Server::start(&ksops, &sandbox, "unix", &[]);
    sandbox.write("f.yaml", YAML);
    let age = &AgeKeys::read().recipients[0];
    assert_eq!(run(&ksops, &sandbox, &["encrypt", "-i", "--age", age, "f.yaml"]).status, 0);
    let nobody = format!("tcp://{}", free_port());
    let both = ["decrypt", "--keyservice", &nobody, "--keyservice", &server.address, "f.yaml"];
    assert_eq!(run(&ksops, &sandbox, &both).output().as_deref(), Ok(YAML.as_bytes()));
    let by_variable = ksops
        .call(&sandbox)
        .env("SOPS_KEYSERVICE", format!("{nobody},{}", server.address))
        .args(["decrypt", "f.yaml"])
        .run();
    assert_eq!(by_variable.output().as_deref(), Ok(YAML.as_bytes()));
    let seen = run(
        &ksops,
        &sandbox,
        &["doctor", "--keyservice", &nobody, "--keyservice", &server.address, "f.yaml"],
    );
    let table = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert_eq!(seen.status, 0, "{}", seen.report());
    for (address, state) in [(&nobody, "failed"), (&server.address, "used")] {
        let row = table.lines().find(|line| line.contains(address)).unwrap_or_default();
        assert!(row.contains("remote key service") && row.contains(state), "{table}");
    }
    let none = run(&ksops, &sandbox, &["decrypt", "--keyservice", &nobody, "f.yaml"]);
    assert_eq!(none.status, 128);
    assert_eq!(none.errors().matches("    - | ").count(), 2, "one block for each service: {}", none.report());
    assert_eq!(server.end(), Some(0));
}

#[test]
fn the_owner_is_asked_before_anything_is_done() {
    let sandbox = Sandbox::new();
    let ksops = Program::ksops();
    let age = &AgeKeys::read().recipients[0];
    sandbox.write("f.yaml", YAML);
    assert_eq!(run(&ksops, &sandbox, &["encrypt", "-i", "--age", age, "f.yaml"]).status, 0);
    for (answer, status) in [("x\ny\n", 0), ("n\n", 128)] {
        let mut server = Server::start(&ksops, &sandbox, "unix", &["--prompt"]);
        let mut stdin = server.child.stdin.take().expect("piped");
        stdin.write_all(answer.as_bytes()).expect("written");
        let found = run(&ksops, &sandbox, &["decrypt", "--keyservice", &server.address, "f.yaml"]);
        assert_eq!(found.status, status, "{answer:?}: {}", found.report());
        if status != 0 {
            assert!(found.errors().contains("Request rejected by user"), "{}", found.report());
        }
        let mut stdout = server.child.stdout.take().expect("piped");
        assert_eq!(server.end(), Some(0));
        let mut shown = String::new();
        stdout.read_to_string(&mut shown).expect("text");
        let question = format!("Received decrypt request using age key {age}. Respond to request? (y/n): ");
        assert!(shown.starts_with(&question), "{shown}");
    }
}

#[test]
fn a_socket_is_for_its_owner_and_an_address_in_use_is_an_error() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::new();
    let ksops = Program::ksops();
    let server = Server::start(&ksops, &sandbox, "unix", &[]);
    let socket = sandbox.tmp().join("k.sock");
    let mode = || socket.metadata().expect("there").permissions().mode() & 0o777;
    let start = Instant::now();
    while mode() != 0o600 && start.elapsed() < Duration::from_secs(5) {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(mode(), 0o600);
    let place = socket.display().to_string();
    let again = run(&ksops, &sandbox, &["keyservice", "--network", "unix", "--address", &place]);
    assert_eq!(again.status, 1, "{}", again.report());
    assert!(again.errors().contains("k.sock"), "{}", again.report());
    assert_eq!(server.end(), Some(0));
    let unknown = run(&ksops, &sandbox, &["keyservice", "--network", "carrier-pigeon"]);
    assert_eq!(unknown.status, 1, "{}", unknown.report());
}

#[test]
fn a_peer_that_talks_something_else_is_an_error() {
    let sandbox = Sandbox::new();
    let ksops = Program::ksops();
    let age = &AgeKeys::read().recipients[0];
    sandbox.write("f.yaml", YAML);
    assert_eq!(run(&ksops, &sandbox, &["encrypt", "-i", "--age", age, "f.yaml"]).status, 0);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("tcp://{}", listener.local_addr().expect("bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        }
    });
    let found = run(&ksops, &sandbox, &["decrypt", "--keyservice", &address, "f.yaml"]);
    assert_eq!(found.status, 128, "{}", found.report());
    assert!(found.errors().contains("key service"), "{}", found.report());
}
