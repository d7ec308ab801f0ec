//! Faults of GitLab for tests. A client must survive them, whatever GitLab does.

use std::time::Duration;

use serde::Deserialize;

/// Faults of the API.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Api {
    /// Any status other than 200, with the usual JSON.
    Status {
        /// The status.
        status: u16,
        /// The value of `Retry-After` in seconds.
        retry_after: Option<u32>,
    },
    /// HTML of a front-end server.
    FrontEnd {
        /// 502, 503 or 504.
        status: u16,
    },
    /// A delayed response.
    Slow {
        /// The delay.
        millis: u64,
    },
    /// A body that is not JSON.
    Malformed,
    /// The entry, or all entries of a page, lack this field.
    MissingField {
        /// The field.
        field: String,
    },
    /// The connection closes within the body.
    CutShort,
    /// The connection closes before the response.
    Down,
    /// A redirect to another path.
    Redirect,
    /// The next page is at another host.
    ForeignLink,
    /// The next page is this one.
    RepeatedLink,
    /// A page without a total.
    NoTotal,
    /// A total that is one too high.
    WrongTotal,
    /// A total that differs on each page.
    ChangingTotal,
    /// A group without any members.
    EmptyGroup,
    /// A page that lacks entries which the total includes.
    ShortPage {
        /// Number of missing entries; 1 if absent.
        missing: Option<usize>,
    },
}

/// Faults of the provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum OAuth {
    /// A status other than 200 for the relying party.
    Status {
        /// The status.
        status: u16,
    },
    /// A delayed response to the relying party.
    Slow {
        /// The delay.
        millis: u64,
    },
    /// A body that is not JSON.
    Malformed,
    /// The browser returns as if the person had cancelled.
    Cancel,
    /// The browser returns with `server_error`.
    Error,
}

impl Api {
    /// Delay before the response.
    pub fn delay(&self) -> Duration {
        match self {
            Self::Slow { millis } => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        }
    }
}

impl OAuth {
    /// Whether the fault affects the browser, and not the relying party's direct requests.
    pub fn is_indirect(&self) -> bool {
        matches!(self, Self::Cancel | Self::Error)
    }

    /// Delay before the response.
    pub fn delay(&self) -> Duration {
        match self {
            Self::Slow { millis } => Duration::from_millis(*millis),
            _ => Duration::ZERO,
        }
    }
}
