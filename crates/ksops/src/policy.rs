//! What happens where upstream goes on silently and a refusal would be safer (security.md, introduction).

/// Whether a doubtful write is refused or only warned about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// Refuse: the program is called as `ksops`.
    #[default]
    Refuse,
    /// Warn and do as upstream does: the program is called as `sops`.
    Warn,
}
