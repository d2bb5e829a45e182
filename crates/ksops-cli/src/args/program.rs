//! Which of the two command lines is spoken. Apart, because every part of the argument layer asks for it.

use ksops::policy::Policy;

/// The name the program was started under. It decides between strict compatibility and the improved command line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Program {
    /// The own command line: no editing by accident, flags in any place.
    Ksops,
    /// Started as `sops`: what works with sops today works the same.
    Sops,
}

impl Program {
    /// The name to print in help and messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ksops => "ksops",
            Self::Sops => "sops",
        }
    }

    /// What happens where upstream goes on silently.
    pub(crate) fn policy(self) -> Policy {
        match self {
            Self::Ksops => Policy::Refuse,
            Self::Sops => Policy::Warn,
        }
    }
}
