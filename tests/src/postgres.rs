//! A real PostgreSQL server of a test's own, on a free port of this machine.
//!
//! Apart from the other oracles, because it is a process that must be stopped, and that root must not run.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::oracle;
use crate::sandbox::Sandbox;

/// What guards the database.
pub const PASSWORD: &str = "hush-postgres";

/// As upstream's `audit/schema.sql` has it.
const TABLE: &str = "CREATE TABLE audit_event (id SERIAL PRIMARY KEY, timestamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
    action TEXT, username TEXT, file TEXT); \
    CREATE ROLE sops NOSUPERUSER LOGIN PASSWORD 'hush-postgres'; \
    GRANT INSERT ON audit_event TO sops; GRANT USAGE ON audit_event_id_seq TO sops;";

/// A running server; stopped when dropped.
pub struct Postgres {
    programs: PathBuf,
    folder: PathBuf,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

impl Postgres {
    /// Starts one with the table of the audit in `folder` of the sandbox. It speaks TLS with the certificate
    /// `server.crt` and `server.key` if they are there. `None` where it is not installed.
    ///
    /// # Panics
    /// If it is installed and does not start, or in CI if it is missing.
    #[must_use]
    pub fn start(sandbox: &Sandbox, folder: &str) -> Option<Self> {
        let Some(programs) = installed() else {
            oracle::skipped("PostgreSQL");
            return None;
        };
        let folder = sandbox.path(folder);
        fs::create_dir_all(&folder).expect("own folder");
        fs::write(folder.join("password"), PASSWORD).expect("own folder");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let server = Self { programs, folder, port };
        server.own();
        let data = server.folder.join("data").display().to_string();
        let password = server.folder.join("password").display().to_string();
        let made = ["-D", &data, "-A", "scram-sha-256", "-U", "admin", "--pwfile", &password, "--no-sync"];
        server.run("initdb", &made);
        server.go();
        server.query(TABLE);
        Some(server)
    }

    /// Starts it again.
    ///
    /// # Panics
    /// If it does not start.
    pub fn go(&self) {
        let has_tls = self.folder.join("server.crt").exists();
        let place = self.folder.display();
        let tls = format!("-c ssl=on -c ssl_cert_file={place}/server.crt -c ssl_key_file={place}/server.key");
        let options = format!(
            "-c port={} -c listen_addresses=127.0.0.1 -c unix_socket_directories={place} -c fsync=off {}",
            self.port,
            if has_tls { &tls } else { "" }
        );
        let (data, log) = (self.folder.join("data"), self.folder.join("log"));
        let (data, log) = (data.display().to_string(), log.display().to_string());
        self.run("pg_ctl", &["start", "-w", "-D", &data, "-l", &log, "-o", &options]);
    }

    /// Stops it.
    ///
    /// # Panics
    /// If that fails.
    pub fn stop(&self) {
        let data = self.folder.join("data").display().to_string();
        self.run("pg_ctl", &["stop", "-m", "immediate", "-D", &data]);
    }

    /// The answer to a query, a line for a row.
    ///
    /// # Panics
    /// If the query is refused.
    #[must_use]
    pub fn rows(&self, query: &str) -> Vec<String> {
        self.query(query).lines().map(str::to_owned).collect()
    }

    /// Runs statements as the administrator.
    ///
    /// # Panics
    /// If one is refused.
    pub fn query(&self, statements: &str) -> String {
        let mut command = Command::new(self.programs.join("psql"));
        command.env("PGPASSWORD", PASSWORD);
        command.args(["-h", "127.0.0.1", "-U", "admin", "-d", "postgres", "-qAt", "-v", "ON_ERROR_STOP=1"]);
        command.args(["-p", &self.port.to_string(), "-c", statements]);
        checked("psql", command.output().expect("psql starts"))
    }

    fn run(&self, program: &str, args: &[&str]) {
        let path = self.programs.join(program);
        let mut command = match is_root() {
            false => Command::new(path),
            // PostgreSQL refuses to be run by root.
            true => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(path);
                command
            }
        };
        command.args(args).current_dir(&self.folder).stdout(std::process::Stdio::null());
        // The server keeps the error stream open, which must not be a pipe that is read to its end.
        let errors = fs::File::create(self.folder.join(format!("{program}.log"))).expect("own folder");
        let status = command.stderr(errors).status().unwrap_or_else(|error| panic!("{program}: {error}"));
        let told = fs::read_to_string(self.folder.join(format!("{program}.log"))).unwrap_or_default();
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.success(), "{program}: {status}: {told}\n{log}");
    }

    /// Gives the folder to the server's user.
    fn own(&self) {
        if is_root() {
            let status = Command::new("chown").args(["-R", "postgres:postgres"]).arg(&self.folder).status();
            assert!(status.expect("chown starts").success());
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        if !data.join("postmaster.pid").exists() {
            return;
        }
        let pid = fs::read_to_string(data.join("postmaster.pid")).unwrap_or_default();
        if let Some(pid) = pid.lines().next() {
            let _ = Command::new("kill").args(["-QUIT", pid]).status();
        }
    }
}

/// The folder with the newest server's programs, where Debian puts them.
fn installed() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.retain(|folder| ["initdb", "pg_ctl", "psql"].iter().all(|name| folder.join(name).is_file()));
    folders.sort();
    folders.pop()
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;

    Path::new("/proc/self").metadata().is_ok_and(|data| data.uid() == 0)
}

fn checked(name: &str, output: Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
