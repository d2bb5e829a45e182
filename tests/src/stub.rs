//! An HTTP server that answers as a test says: for faults that no rig has.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A server on a port of this machine, until the test ends.
pub struct Stub {
    /// `HOST:PORT`.
    pub address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

/// What becomes of a connection.
#[derive(Debug, Clone)]
pub enum Reply {
    /// This text, and the end.
    Text(String),
    /// Nothing, for ever.
    Silence,
}

impl Reply {
    /// A whole answer.
    #[must_use]
    pub fn http(status: u16, headers: &str, body: &str) -> Self {
        Self::Text(format!(
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
            body.len()
        ))
    }
}

impl Stub {
    /// Gives each request, from 0, the reply that `reply` makes of its number.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn new(reply: impl Fn(usize) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let requests = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(request) = read(&stream) else { continue };
                let number = {
                    let mut requests = requests.lock().unwrap_or_else(PoisonError::into_inner);
                    requests.push(request);
                    requests.len() - 1
                };
                answer(stream, reply(number));
            }
        });
        Self { address, seen }
    }

    /// The requests so far: head and body.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read(stream: &TcpStream) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length, mut is_chunked) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
        is_chunked |= line.to_ascii_lowercase().starts_with("transfer-encoding: chunked");
        let is_end = line.trim().is_empty();
        head.push_str(&line);
        if is_end {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    while is_chunked {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let size = usize::from_str_radix(line.trim(), 16).ok()?;
        // With the line's end.
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).ok()?;
        body.extend_from_slice(&chunk[..size]);
        is_chunked = size > 0;
    }
    Some(head + &String::from_utf8_lossy(&body))
}

fn answer(mut stream: TcpStream, reply: Reply) {
    match reply {
        // A client that has gone is no failure of the test.
        Reply::Text(text) => drop(stream.write_all(text.as_bytes())),
        Reply::Silence => {
            thread::spawn(move || {
                let mut stream = stream;
                let _ = stream.read(&mut [0]);
            });
        }
    }
}
