//! Another user for a command (`--user`): this process becomes that user before it starts it, so that files belong to them,
//! too (cli-and-config.md section 8.1).

use crate::error::{Failure, Kind};

/// A user of this machine.
pub(crate) struct User {
    name: String,
    home: String,
}

impl User {
    /// What the user of this process is called.
    ///
    /// # Errors
    /// If the system has no name for them.
    #[cfg(unix)]
    pub(crate) fn name_of_this_one() -> Result<String, Failure> {
        use nix::unistd::{User as Entry, getuid};

        let id = getuid();
        match Entry::from_uid(id) {
            Ok(Some(entry)) => Ok(entry.name),
            Ok(None) => Err(Failure::new(Kind::General, format!("user: unknown userid {id}"))),
            Err(error) => Err(Failure::new(Kind::General, format!("user: userid {id}: {error}"))),
        }
    }

    /// There is no way.
    #[cfg(not(unix))]
    pub(crate) fn name_of_this_one() -> Result<String, Failure> {
        Err(Failure::new(Kind::General, "cannot tell the name of the user on this system"))
    }

    /// What the user's own environment says of them.
    pub(crate) fn variables(&self) -> [(&'static str, &str); 3] {
        [("HOME", &self.home), ("USER", &self.name), ("LOGNAME", &self.name)]
    }

    /// Becomes the user, with all of their groups.
    ///
    /// # Errors
    /// If there is no such user, or this one must not.
    #[cfg(unix)]
    pub(crate) fn become_one(name: &str) -> Result<Self, Failure> {
        use std::ffi::CString;

        use nix::unistd::{User as Entry, initgroups, setgid, setuid};

        let refused = |text: String| Failure::new(Kind::General, text).logged();
        let unknown = || refused(format!("user: unknown user {name}"));
        let entry = Entry::from_name(name).map_err(|error| refused(format!("user: {name}: {error}")))?;
        let entry = entry.ok_or_else(unknown)?;
        let c_name = CString::new(entry.name.as_str()).map_err(|_| unknown())?;
        initgroups(&c_name, entry.gid)
            .and_then(|()| setgid(entry.gid))
            .and_then(|()| setuid(entry.uid))
            .map_err(|error| refused(format!("cannot become the user {name}: {error}")))?;
        Ok(Self { name: entry.name, home: entry.dir.to_string_lossy().into_owned() })
    }

    /// There is no way.
    #[cfg(not(unix))]
    pub(crate) fn become_one(name: &str) -> Result<Self, Failure> {
        let text = format!("cannot become the user {name}: not on this system");
        Err(Failure::new(Kind::General, text).logged())
    }
}
