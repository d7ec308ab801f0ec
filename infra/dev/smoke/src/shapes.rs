//! The kinds of requests that each role makes to the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display};

/// One write of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `ConditionCheck`
    Check,
    /// `Put`
    Put,
    /// `Update`
    Update,
    /// `Delete`
    Delete,
}

/// A request, with the prefixes of its partition keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `GetItem`
    Get(&'static str),
    /// `BatchGetItem`
    BatchGet(&'static [&'static str]),
    /// `Query`
    Query(&'static str),
    /// `Query` of the index of addresses by member
    QueryIndex,
    /// A single write
    Write(Part, &'static str),
    /// `TransactWriteItems`
    Transaction(&'static [(Part, &'static str)]),
}

/// The requests of the holder of a role, or of a principal with only a managed policy.
#[derive(Clone, Copy, Debug)]
pub struct Shapes {
    /// The logical id of the role or managed policy.
    pub holder: &'static str,
    /// The requests.
    pub requests: &'static [Request],
}

use Part::{Check, Delete, Put, Update};
use Request::{BatchGet, Get, Query, QueryIndex, Transaction, Write};

/// Two sign-ins of one person become one member.
const LINK: Request = Transaction(&[
    (Update, "MEMBER#"),
    (Update, "IDENTITY#"),
    (Update, "NAME#"),
    (Put, "MEMBER#"),
    (Put, "BANNED"),
    (Put, "AUDIT#"),
    (Put, "OUTBOX#"),
    (Delete, "MEMBER#"),
]);

/// Every kind of request, by role. `cargo dev test` fails if a function makes a request that is not listed here.
pub const SHAPES: [Shapes; 12] = [
    Shapes {
        holder: "SsoRole",
        requests: &[
            Get("IDENTITY#"),
            Get("MEMBER#"),
            Get("SESSION#"),
            BatchGet(&["SESSION#"]),
            Query("MEMBER#"),
            Write(Update, "MEMBER#"),
            Write(Delete, "SESSION#"),
            Transaction(&[(Put, "NONCE#"), (Put, "STATE#")]),
            Transaction(&[(Put, "IDENTITY#"), (Put, "MEMBER#"), (Put, "MEMBER#"), (Put, "SESSION#")]),
            Transaction(&[(Update, "MEMBER#"), (Put, "MEMBER#"), (Put, "SESSION#")]),
        ],
    },
    Shapes {
        holder: "AccountRole",
        requests: &[
            Get("ADMINS#"),
            Get("DOMAIN#"),
            Get("FAILING#"),
            Get("MEMBER#"),
            Get("SESSION#"),
            BatchGet(&["DOMAIN#"]),
            BatchGet(&["FAILING#"]),
            BatchGet(&["MEMBER#"]),
            BatchGet(&["SESSION#"]),
            Query("DOMAINS"),
            Query("MEMBER#"),
            Query("STATUS#"),
            QueryIndex,
            Write(Put, "MEMBER#"),
            Write(Update, "LIMIT#"),
            Write(Update, "MEMBER#"),
            Write(Update, "SESSION#"),
            Write(Delete, "FAILING#"),
            Write(Delete, "MEMBER#"),
            Write(Delete, "NAME#"),
            Write(Delete, "SESSION#"),
            // A choice of destinations, with a copy for a linked member.
            Transaction(&[
                (Check, "MEMBER#"),
                (Update, "MEMBER#"),
                (Put, "MEMBER#"),
                (Put, "DOMAIN#"),
                (Put, "AUDIT#"),
                (Put, "OUTBOX#"),
            ]),
            // The end of an erasure.
            Transaction(&[(Update, "MEMBER#"), (Delete, "MEMBER#"), (Put, "AUDIT#"), (Put, "MEMBER#")]),
            Transaction(&[(Delete, "ADMINS#"), (Put, "AUDIT#"), (Put, "MEMBER#"), (Put, "OUTBOX#")]),
            // The removal of an identity.
            Transaction(&[
                (Delete, "IDENTITY#"),
                (Delete, "MEMBER#"),
                (Update, "MEMBER#"),
                (Update, "SESSION#"),
                (Put, "AUDIT#"),
                (Put, "MEMBER#"),
                (Put, "OUTBOX#"),
            ]),
        ],
    },
    Shapes {
        holder: "AdminRole",
        requests: &[
            Get("ADMINS#"),
            Get("DOMAIN#"),
            Get("MEMBER#"),
            Get("NAME#"),
            Get("RESERVED#"),
            Get("SESSION#"),
            Get("SYNC#"),
            BatchGet(&["ADMINS#"]),
            BatchGet(&["DOMAIN#"]),
            Query("ADMINS#"),
            Query("AUDIT#"),
            Query("DOMAIN#"),
            Query("FAILING#"),
            Query("MEMBER#"),
            Query("RESERVED#"),
            Query("SYNC#"),
            QueryIndex,
            Write(Put, "SYNC#"),
            Write(Update, "DOMAIN#"),
            Write(Update, "LIMIT#"),
            Write(Update, "MEMBER#"),
            Write(Update, "SESSION#"),
            Write(Update, "SYNC#"),
            // The decision on a held run.
            Transaction(&[(Update, "SYNC#"), (Put, "AUDIT#")]),
            // A check of DNS records that changes the proof.
            Transaction(&[(Update, "DOMAIN#"), (Update, "DOMAIN#"), (Put, "AUDIT#"), (Put, "OUTBOX#")]),
            // Admins and reserved names.
            Transaction(&[(Put, "ADMINS#"), (Put, "AUDIT#"), (Put, "MEMBER#"), (Put, "OUTBOX#")]),
            Transaction(&[(Update, "ADMINS#"), (Put, "AUDIT#"), (Put, "MEMBER#"), (Put, "OUTBOX#")]),
            Transaction(&[(Delete, "ADMINS#"), (Put, "AUDIT#"), (Put, "MEMBER#"), (Put, "OUTBOX#")]),
            Transaction(&[(Put, "RESERVED#"), (Put, "AUDIT#")]),
            Transaction(&[(Delete, "RESERVED#"), (Put, "AUDIT#")]),
            // A ban, also of linked members, the end of one, and what they do to an address.
            Transaction(&[
                (Update, "MEMBER#"),
                (Update, "MEMBER#"),
                (Put, "BANNED"),
                (Put, "AUDIT#"),
                (Put, "MEMBER#"),
            ]),
            Transaction(&[(Update, "MEMBER#"), (Delete, "BANNED"), (Put, "AUDIT#"), (Put, "MEMBER#")]),
            Transaction(&[(Check, "MEMBER#"), (Put, "DOMAIN#"), (Put, "AUDIT#"), (Put, "MEMBER#"), (Put, "OUTBOX#")]),
            // The request of a check that restores an address.
            Transaction(&[(Put, "AUDIT#"), (Put, "MEMBER#")]),
        ],
    },
    Shapes {
        holder: "VerifyMemberRole",
        requests: &[
            Get("IDENTITY#"),
            Get("MEMBER#"),
            Get("NAME#"),
            BatchGet(&["DOMAIN#"]),
            Query("MEMBER#"),
            Write(Update, "MEMBER#"),
            Transaction(&[(Update, "MEMBER#"), (Put, "NAME#")]),
            Transaction(&[(Update, "MEMBER#"), (Update, "NAME#"), (Put, "NAME#")]),
            // An added identity.
            Transaction(&[
                (Update, "MEMBER#"),
                (Put, "IDENTITY#"),
                (Put, "MEMBER#"),
                (Put, "AUDIT#"),
                (Put, "OUTBOX#"),
            ]),
            LINK,
        ],
    },
    Shapes {
        holder: "WriteAliasesRole",
        requests: &[
            Get("DOMAIN#"),
            Get("MEMBER#"),
            Get("FAILING#"),
            BatchGet(&["DOMAIN#", "MEMBER#"]),
            Query("MEMBER#"),
            QueryIndex,
            Write(Put, "EXPIRED#"),
            Write(Put, "MEMBER#"),
            Write(Update, "DOMAIN#"),
            Write(Update, "FAILING#"),
            Write(Update, "MEMBER#"),
            Write(Delete, "MEMBER#"),
            Transaction(&[(Put, "FAILING#"), (Check, "DOMAIN#")]),
            Transaction(&[
                (Check, "DOMAIN#"),
                (Put, "DOMAIN#"),
                (Put, "AUDIT#"),
                (Put, "OUTBOX#"),
                (Check, "MEMBER#"),
                (Check, "RESERVED#"),
                (Put, "MEMBER#"),
                (Update, "MEMBER#"),
                (Update, "MEMBER#"),
                (Delete, "MEMBER#"),
            ]),
            Transaction(&[
                (Check, "MEMBER#"),
                (Update, "DOMAIN#"),
                (Update, "MEMBER#"),
                (Put, "AUDIT#"),
                (Put, "OUTBOX#"),
            ]),
            Transaction(&[(Update, "MEMBER#"), (Delete, "MEMBER#"), (Put, "AUDIT#"), (Put, "DOMAIN#")]),
        ],
    },
    Shapes {
        holder: "StartSyncRole",
        requests: &[BatchGet(&["SYNC#"]), Query("DOMAINS"), Query("SYNC#"), Write(Update, "SYNC#")],
    },
    Shapes {
        holder: "SyncTeamRole",
        requests: &[
            Get("DOMAIN#"),
            Get("MEMBER#"),
            Get("NAME#"),
            Get("SYNC#"),
            BatchGet(&["NAME#"]),
            Query("BANNED"),
            Query("DOMAIN#"),
            Query("EXPIRED#"),
            Query("MEMBER#"),
            Query("RESERVED#"),
            Query("SYNC#"),
            Write(Put, "SLOT#"),
            Write(Put, "SYNC#"),
            Write(Update, "DOMAIN#"),
            Write(Update, "DOMAINS"),
            Write(Update, "SYNC#"),
            Write(Delete, "EXPIRED#"),
            Write(Delete, "SLOT#"),
            Write(Delete, "SYNC#"),
            Transaction(&[(Put, "SYNC#"), (Put, "SYNC#"), (Update, "SYNC#")]),
            Transaction(&[(Put, "SYNC#"), (Delete, "SYNC#"), (Put, "AUDIT#"), (Put, "OUTBOX#")]),
            Transaction(&[(Update, "SYNC#"), (Put, "AUDIT#"), (Put, "OUTBOX#")]),
            Transaction(&[(Update, "DOMAIN#"), (Update, "DOMAINS"), (Put, "AUDIT#"), (Put, "OUTBOX#")]),
            Transaction(&[(Update, "MEMBER#"), (Update, "NAME#"), (Put, "NAME#")]),
            LINK,
        ],
    },
    Shapes {
        holder: "CheckDomainsRole",
        requests: &[
            Get("DOMAIN#"),
            Query("DOMAINS"),
            Write(Update, "DOMAIN#"),
            Write(Update, "DOMAINS"),
            Transaction(&[(Update, "DOMAIN#"), (Update, "DOMAIN#"), (Put, "AUDIT#"), (Put, "OUTBOX#")]),
            Transaction(&[(Update, "DOMAINS"), (Put, "AUDIT#"), (Put, "OUTBOX#")]),
        ],
    },
    Shapes {
        holder: "CheckStatusRole",
        requests: &[
            Get("SYNC#"),
            BatchGet(&["DOMAIN#"]),
            BatchGet(&["SYNC#"]),
            Query("SYNC#"),
            Write(Update, "STATUS#"),
        ],
    },
    Shapes {
        holder: "NotifyRole",
        requests: &[
            Get("DIGEST#"),
            Get("DOMAIN#"),
            Get("FAILURE#"),
            Get("IDENTITY#"),
            Get("MEMBER#"),
            Get("NOTICE#"),
            Get("OUTBOX#"),
            Get("SYNC#"),
            BatchGet(&["DIGEST#"]),
            BatchGet(&["DOMAIN#", "MEMBER#"]),
            Query("ADMINS#"),
            Query("DIGEST#"),
            Query("FAILING#"),
            Query("MEMBER#"),
            Query("OUTBOX#"),
            QueryIndex,
            Write(Put, "DIGEST#"),
            Write(Put, "FAILURE#"),
            Write(Put, "NOTICE#"),
            Write(Update, "DIGEST#"),
            Write(Update, "MEMBER#"),
            Write(Update, "OUTBOX#"),
            Write(Delete, "DIGEST#"),
            Write(Delete, "NOTICE#"),
            Transaction(&[(Delete, "OUTBOX#"), (Put, "DIGEST#"), (Put, "NOTICE#")]),
            Transaction(&[(Put, "DIGEST#"), (Update, "DIGEST#"), (Delete, "DIGEST#")]),
        ],
    },
    Shapes {
        holder: "AliasMapPolicy",
        requests: &[
            Get("DOMAIN#"),
            Get("IDENTITY#"),
            Get("MEMBER#"),
            Get("RETURN#"),
            BatchGet(&["MEMBER#"]),
            Query("ADMINS#"),
            Query("DOMAINS"),
            QueryIndex,
            Write(Put, "RETURN#"),
        ],
    },
    Shapes { holder: "CanaryPolicy", requests: &[Write(Update, "STATUS#mail")] },
];

impl Part {
    /// The IAM action.
    fn action(self) -> &'static str {
        match self {
            Self::Check => "ConditionCheckItem",
            Self::Put => "PutItem",
            Self::Update => "UpdateItem",
            Self::Delete => "DeleteItem",
        }
    }
}

impl Request {
    /// The IAM actions with the prefixes of their keys; none for the index, whose keys are members.
    pub fn authorizations(&self) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
        let parts: Vec<(&str, &str)> = match self {
            Self::Get(prefix) => vec![("GetItem", prefix)],
            Self::BatchGet(prefixes) => prefixes.iter().map(|prefix| ("BatchGetItem", *prefix)).collect(),
            Self::Query(prefix) => vec![("Query", prefix)],
            Self::QueryIndex => Vec::new(),
            Self::Write(part, prefix) => vec![(part.action(), prefix)],
            Self::Transaction(parts) => parts.iter().map(|(part, prefix)| (part.action(), *prefix)).collect(),
        };
        let mut authorizations = BTreeMap::<_, BTreeSet<_>>::new();
        for (action, prefix) in parts {
            authorizations.entry(action).or_default().insert(prefix);
        }
        authorizations
    }

    /// Whether it is a transaction.
    pub fn is_transaction(&self) -> bool {
        matches!(self, Self::Transaction(_) | Self::Write(Part::Check, _))
    }
}

impl Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::QueryIndex {
            return write!(f, "Query of the index");
        }
        let parts = self.authorizations();
        let parts = parts.iter().map(|(action, keys)| {
            let keys: Vec<_> = keys.iter().copied().collect();
            format!("{action} {}", keys.join(", "))
        });
        let parts: Vec<_> = parts.collect();
        let kind = if self.is_transaction() { "transaction of " } else { "" };
        write!(f, "{kind}{}", parts.join(", "))
    }
}

/// Whether the requests of a role include this one: an action of DynamoDB with the kinds of its partitions (`MEMBER#…`).
pub fn covers(holder: &str, action: &str, keys: &[String], in_transaction: bool) -> bool {
    let shapes = SHAPES.iter().filter(|shapes| shapes.holder == holder);
    shapes.flat_map(|shapes| shapes.requests).any(|request| {
        let authorizations = request.authorizations();
        request.is_transaction() == in_transaction
            && authorizations
                .get(action)
                .is_some_and(|prefixes| keys.iter().all(|key| prefixes.contains(key.trim_end_matches('…'))))
    })
}
