//! Where a key service listens: `tcp://HOST:PORT` or `unix:///PATH`.

use std::fmt;
use std::path::PathBuf;

/// The address of a key service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host and a port.
    Tcp(String),
    /// A unix socket.
    Unix(PathBuf),
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address of a key service: it must be tcp://HOST:PORT or unix:///PATH")]
pub struct AddressError(String);

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// [`AddressError`] for any other text.
    ///
    /// ```
    /// use ksops_remote::address::Address;
    ///
    /// assert_eq!(Address::parse("tcp://localhost:5000"), Ok(Address::Tcp("localhost:5000".into())));
    /// assert!(Address::parse("foo").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let error = || AddressError(text.to_owned());
        match text.split_once("://") {
            Some(("tcp", host)) => {
                let host = host.trim_end_matches('/');
                let port = host.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
                if !matches!(port, Some(Ok(_))) || host.contains(['/', '?', '#', '@', ' ']) {
                    return Err(error());
                }
                Ok(Self::Tcp(host.to_owned()))
            }
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(PathBuf::from(path))),
            _ => Err(error()),
        }
    }

    /// From the words of the command line, `--network` and `--address`.
    ///
    /// # Errors
    /// [`AddressError`] if the network is neither `tcp` nor `unix`, or the address is none of it.
    pub fn from_parts(network: &str, address: &str) -> Result<Self, AddressError> {
        match network {
            "unix" if !address.is_empty() => Ok(Self::Unix(PathBuf::from(address))),
            _ => Self::parse(&format!("{network}://{address}")),
        }
    }

    /// Whether only this machine can reach it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(host) => {
                let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
                let name = name.trim_matches(['[', ']']);
                let is_loopback = name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
                name == "localhost" || is_loopback
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host) => write!(f, "tcp://{host}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn reads_both_kinds_and_nothing_else() {
        for text in ["tcp://h:1", "tcp://[::1]:5000", "unix:///run/k.sock"] {
            assert_eq!(Address::parse(text).map(|address| address.to_string()).as_deref(), Ok(text));
        }
        for text in
            ["", "foo", "tcp://h", "tcp://h:x", "tcp://h:70000", "unix://rel", "http://h:1", "tcp://u@h:1"]
        {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn knows_what_others_can_reach() {
        let local = |text| Address::parse(text).map(|address| address.is_local());
        assert_eq!(local("tcp://127.0.0.1:5000"), Ok(true));
        assert_eq!(local("tcp://[::1]:5000"), Ok(true));
        assert_eq!(local("tcp://0.0.0.0:5000"), Ok(false));
        assert_eq!(local("unix:///x"), Ok(true));
    }
}
