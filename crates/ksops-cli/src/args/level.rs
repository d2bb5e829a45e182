//! Levels as a bit set: the top level and one bit per subcommand. A flag row names all levels that know it.

/// A set of levels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Levels(u32);

impl Levels {
    pub(crate) const TOP: Self = Self(1);
    pub(crate) const ENCRYPT: Self = Self(1 << 1);
    pub(crate) const DECRYPT: Self = Self(1 << 2);
    pub(crate) const ROTATE: Self = Self(1 << 3);
    pub(crate) const EDIT: Self = Self(1 << 4);
    pub(crate) const SET: Self = Self(1 << 5);
    pub(crate) const UNSET: Self = Self(1 << 6);
    pub(crate) const UPDATEKEYS: Self = Self(1 << 7);
    pub(crate) const GROUPS_ADD: Self = Self(1 << 8);
    pub(crate) const GROUPS_DELETE: Self = Self(1 << 9);
    pub(crate) const EXEC_ENV: Self = Self(1 << 10);
    pub(crate) const EXEC_FILE: Self = Self(1 << 11);
    pub(crate) const FILESTATUS: Self = Self(1 << 12);
    pub(crate) const PUBLISH: Self = Self(1 << 13);
    pub(crate) const KEYSERVICE: Self = Self(1 << 14);
    pub(crate) const COMPLETION: Self = Self(1 << 15);
    pub(crate) const KEYGEN: Self = Self(1 << 16);
    pub(crate) const INIT: Self = Self(1 << 17);
    pub(crate) const GROUPS: Self = Self(1 << 18);
    pub(crate) const VIEW: Self = Self(1 << 19);
    pub(crate) const DOCTOR: Self = Self(1 << 20);
    pub(crate) const MAN: Self = Self(1 << 21);
    pub(crate) const AZURE: Self = Self(1 << 22);
    pub(crate) const AZURE_FETCH_KEY: Self = Self(1 << 23);
    pub(crate) const VERIFY: Self = Self(1 << 24);
    pub(crate) const GIT: Self = Self(1 << 26);
    pub(crate) const GIT_INSTALL: Self = Self(1 << 27);
    pub(crate) const GIT_TEXTCONV: Self = Self(1 << 28);
    pub(crate) const GIT_MERGE: Self = Self(1 << 29);
    pub(crate) const MERGETOOL: Self = Self(1 << 30);

    /// Commands that work on the content of encrypted files and so ask key services.
    pub(crate) const CONTENT: Self = Self::ENCRYPT
        .or(Self::DECRYPT)
        .or(Self::ROTATE)
        .or(Self::EDIT)
        .or(Self::SET)
        .or(Self::UNSET)
        .or(Self::UPDATEKEYS)
        .or(Self::GROUPS_ADD)
        .or(Self::GROUPS_DELETE)
        .or(Self::EXEC_ENV)
        .or(Self::EXEC_FILE)
        .or(Self::PUBLISH)
        .or(Self::GIT_TEXTCONV)
        .or(Self::GIT_MERGE)
        .or(Self::MERGETOOL);
    /// Every subcommand that does something with files or keys.
    pub(crate) const WORK: Self = Self::CONTENT
        .or(Self::FILESTATUS)
        .or(Self::KEYSERVICE)
        .or(Self::KEYGEN)
        .or(Self::INIT)
        .or(Self::VIEW)
        .or(Self::DOCTOR)
        .or(Self::AZURE_FETCH_KEY)
        .or(Self::GIT_INSTALL)
        .or(Self::VERIFY);
    /// Every level there is.
    pub(crate) const ALL: Self = Self::TOP
        .or(Self::WORK)
        .or(Self::COMPLETION)
        .or(Self::MAN)
        .or(Self::GROUPS)
        .or(Self::AZURE)
        .or(Self::GIT);

    /// Both sets together.
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two sets share a level.
    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}
