//! A gpg-agent as the keeper of passphrases of identity files, as upstream asks it (key-services.md section 3.4).

use std::path::PathBuf;

use zeroize::Zeroizing;

/// Where an agent would be.
#[derive(Debug, Clone, Default)]
pub struct Agent {
    /// Its socket; `None` if no agent is asked.
    pub socket: Option<PathBuf>,
    /// `DISPLAY`, for its window.
    pub display: Option<String>,
    /// `TERM`, for its prompt on the terminal.
    pub terminal: Option<String>,
}

/// What the agent said.
pub(crate) enum Answer {
    /// A passphrase.
    Given(Zeroizing<String>),
    /// There is no agent.
    NoAgent,
    /// The agent has none, or the user declined.
    Refused(String),
}

#[cfg(not(unix))]
impl Agent {
    pub(crate) fn passphrase(&self, _: &[u8], _: &str) -> Answer {
        Answer::NoAgent
    }

    pub(crate) fn forget(&self, _: &[u8]) {}
}

#[cfg(unix)]
mod unix {
    use std::io::{self, BufRead, BufReader, Read, Write};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use sha2::{Digest, Sha256};
    use zeroize::Zeroizing;

    use crate::agent::{Agent, Answer};

    /// The longest line that the agent may send.
    const LINE_LIMIT: u64 = 4096;
    /// How long the agent may take for anything but asking the user.
    const LIMIT: Duration = Duration::from_secs(10);
    /// The number in `ERR` for a user who cancelled.
    const CANCELLED: &str = "83886179";

    struct Conversation {
        stream: BufReader<UnixStream>,
    }

    impl Conversation {
        fn open(agent: &Agent) -> Option<Self> {
            let stream = UnixStream::connect(agent.socket.as_ref()?).ok()?;
            stream.set_read_timeout(Some(LIMIT)).ok()?;
            stream.set_write_timeout(Some(LIMIT)).ok()?;
            let mut conversation = Self { stream: BufReader::new(stream) };
            conversation.line().ok()?.starts_with("OK").then_some(conversation)
        }

        fn line(&mut self) -> io::Result<Zeroizing<String>> {
            // A secret comes in this line: no growing.
            let mut line = Zeroizing::new(String::with_capacity(LINE_LIMIT as usize));
            self.stream.by_ref().take(LINE_LIMIT).read_line(&mut line)?;
            if !line.ends_with('\n') {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            Ok(line)
        }

        fn say(&mut self, command: &str) -> io::Result<Zeroizing<String>> {
            self.stream.get_mut().write_all(format!("{command}\n").as_bytes())?;
            self.line()
        }
    }

    impl Agent {
        /// Asks for the passphrase of a file with this content.
        pub(crate) fn passphrase(&self, content: &[u8], question: &str) -> Answer {
            let Some(mut talk) = Conversation::open(self) else { return Answer::NoAgent };
            let refused = |why: &str| Answer::Refused(format!("gpg-agent passphrase request errored: {why}"));
            let mut options = Vec::new();
            options.extend(self.display.iter().map(|display| format!("OPTION display={display}")));
            if let Ok(terminal) = std::fs::read_link("/proc/self/fd/0") {
                options.push(format!("OPTION ttyname={}", terminal.display()));
            }
            options.extend(self.terminal.iter().map(|terminal| format!("OPTION ttytype={terminal}")));
            for option in options.iter().filter(|option| !option.contains(char::is_control)) {
                match talk.say(option) {
                    Ok(line) if line.starts_with("OK") => {}
                    Ok(_) => return refused("it refuses an option"),
                    Err(error) => return refused(&error.to_string()),
                }
            }
            // Now a person is asked, who takes the time that it takes.
            if let Err(error) = talk.stream.get_ref().set_read_timeout(None) {
                return refused(&error.to_string());
            }
            let command = format!("GET_PASSPHRASE {} X Passphrase {}", cache_id(content), escaped(question));
            let line = match talk.say(&command) {
                Ok(line) => line,
                Err(error) => return refused(&error.to_string()),
            };
            if let Some(hex) = line.trim_end().strip_prefix("OK") {
                return match unhex(hex.trim()) {
                    Some(passphrase) => Answer::Given(passphrase),
                    None => refused("its answer is not in order"),
                };
            }
            match line.split_whitespace().nth(1) {
                Some(CANCELLED) => refused("gpgagent: Cancel"),
                _ => refused(line.trim_end()),
            }
        }

        /// Makes the agent forget a passphrase that was wrong.
        pub(crate) fn forget(&self, content: &[u8]) {
            if let Some(mut talk) = Conversation::open(self) {
                // An agent that cannot forget is asked again, and the user with it.
                let _ = talk.say(&format!("CLEAR_PASSPHRASE {}", cache_id(content)));
            }
        }
    }

    /// The name under which upstream keeps the passphrase, so that both programs share it.
    fn cache_id(content: &[u8]) -> String {
        const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let digest = Sha256::digest(content);
        let mut id = String::from("SopsAge");
        for group in digest[..25].chunks(5) {
            let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            id.extend((0..8).rev().map(|place| {
                let digit = usize::try_from(bits >> (5 * place) & 31).unwrap_or_default();
                char::from(ALPHABET[digit])
            }));
        }
        id
    }

    /// As in the query of a URL: the agent takes `+` and `%`.
    fn escaped(text: &str) -> String {
        text.bytes().fold(String::new(), |mut text, byte| {
            match byte {
                b' ' => text.push('+'),
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    text.push(char::from(byte));
                }
                _ => text.push_str(&format!("%{byte:02X}")),
            }
            text
        })
    }

    fn unhex(text: &str) -> Option<Zeroizing<String>> {
        let digit = |sign: u8| char::from(sign).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() / 2));
        for pair in text.as_bytes().chunks(2) {
            let [high, low] = pair else { return None };
            bytes.push(digit(*high)? << 4 | digit(*low)?);
        }
        let text = std::str::from_utf8(&bytes).ok()?;
        Some(Zeroizing::new(text.to_owned()))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::net::UnixListener;
    use std::thread;

    use super::{Agent, Answer};

    /// An agent that gives one answer to `GET_PASSPHRASE` and reports what it was asked.
    fn agent(answer: &'static str) -> (tempfile::TempDir, Agent, thread::JoinHandle<Vec<String>>) {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("S.gpg-agent");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let served = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut seen = Vec::new();
            stream.write_all(b"OK Pleased to meet you\n").expect("written");
            for line in BufReader::new(stream.try_clone().expect("a copy")).lines() {
                let line = line.expect("text");
                let reply = if line.starts_with("GET_PASSPHRASE") { answer } else { "OK" };
                seen.push(line);
                stream.write_all(format!("{reply}\n").as_bytes()).expect("written");
            }
            seen
        });
        let agent = Agent { socket: Some(socket), display: Some(":0".to_owned()), terminal: None };
        (folder, agent, served)
    }

    #[test]
    fn a_passphrase_is_asked_for_under_the_name_of_upstream() {
        let (_folder, agent, served) = agent("OK 73656372657470772121");
        let Answer::Given(passphrase) = agent.passphrase(b"content", "for 'x y':") else {
            panic!("no passphrase")
        };
        assert_eq!(passphrase.as_str(), "secretpw!!");
        let seen = served.join().expect("ends");
        // The identifier was computed in Go, by upstream's recipe.
        let last = seen.last().expect("a question");
        assert_eq!(
            last,
            "GET_PASSPHRASE SopsAge5VYAFNBZ5GWIIXZCGV6YEK5MCRCHGD55WYAW2PWJ X Passphrase for+%27x+y%27%3A"
        );
        assert_eq!(seen[0], "OPTION display=:0");
    }

    #[test]
    fn a_refusal_is_told() {
        for (answer, why) in
            [("ERR 83886179 cancelled", "Cancel"), ("ERR 67108922 No data", "No data"), ("OK 7", "order")]
        {
            let (_folder, agent, served) = agent(answer);
            let Answer::Refused(text) = agent.passphrase(b"content", "?") else { panic!("{answer}") };
            assert!(text.contains(why), "{text}");
            served.join().expect("ends");
        }
        let nobody = Agent { socket: Some("/nowhere/S.gpg-agent".into()), ..Agent::default() };
        assert!(matches!(nobody.passphrase(b"content", "?"), Answer::NoAgent));
    }
}
