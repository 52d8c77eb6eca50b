//! The state of a function.

/// The state that GetFunction returns. Only an active function can be invoked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FunctionState {
    /// Can be invoked.
    Active,
    /// Is being created, or activated again.
    Pending,
    /// Was not invoked for weeks.
    Inactive,
    /// Could not be created.
    Failed,
}

impl FunctionState {
    pub(crate) const ALL: [Self; 4] = [Self::Active, Self::Pending, Self::Inactive, Self::Failed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Pending => "Pending",
            Self::Inactive => "Inactive",
            Self::Failed => "Failed",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// `StateReason` and `StateReasonCode` of a function that is not active.
    pub(crate) fn reason(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Active => None,
            Self::Pending => Some(("The function is being created.", "Creating")),
            Self::Inactive => Some(("The function is idle.", "Idle")),
            Self::Failed => Some(("The function could not be created.", "InternalError")),
        }
    }
}
