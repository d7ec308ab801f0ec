//! `membermail domain retire`: ends a domain's addresses, after their grace period. The only way to do so: a domain that is
//! missing from the community file loses nothing by that.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::{Alias, Status};
use membermail_core::clock::{Clock, later};
use membermail_core::community::Community;
use membermail_core::message::SyncTeam;
use membermail_core::plan::{Counts, Plan};
use membermail_core::retirement::Retirement;
use membermail_runtime::batch::chain;
use membermail_store::{Retired, Store};
use serde::Serialize;

use crate::Context;
use crate::failure::Failure;
use crate::output::{facts, time};
use crate::place::{Inbox, domain};

/// What to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The domain; it need not be in the community file any more
    domain: DomainName,
    /// Take an earlier decision back: the addresses that it ended work again
    #[arg(long)]
    cancel: bool,
    /// Do it; without this, only show what would happen
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(context: &Context, options: Options) -> Result<(), Failure> {
    let Options { domain: name, cancel, yes } = options;
    let (store, community) = (context.place.store().await?, context.place.community().await?);
    let (cause, random) = (context.operator.cause()?, context.operator.random());
    let stored = store.domain(&name).await?;
    let retirement = match (&stored.retirement, cancel) {
        (Some(retirement), true) => Retirement { cancelled: Some(cause.now), ended: None, ..retirement.clone() },
        (None, true) => return Err(Failure::NotFound(format!("retirement of {name} to cancel"))),
        (Some(retirement), false) if retirement.cancelled.is_none() => retirement.clone(),
        (_, false) => Retirement::new(cause.now, &community.rules, cause.by),
    };
    let facts = Facts::read(&store, &community, &name, &retirement, context.operator.clock.now()).await?;
    if !facts.is_configured && !facts.has_aliases() && !stored.takes_mail() {
        domain(&community, &name)?;
    }
    if !yes {
        context.output.show(&View { did: Did::Planned, cancel, retirement, facts })?;
        context.output.note("nothing was changed; --yes does it");
        return Ok(());
    }
    let decided = if cancel {
        store.cancel_retirement(&name, cause, random).await?
    } else {
        store.retire_domain(&name, &retirement, cause, random).await?
    };
    let (did, retirement) = match decided {
        Retired::Decided(retirement) => (Did::Decided, retirement),
        Retired::Before(retirement) => (Did::Before, retirement),
        Retired::NotRetiring => return Err(Failure::NotFound(format!("retirement of {name} to cancel"))),
    };
    // A schedule does it otherwise.
    let request_id = context.operator.request_id().to_owned();
    let message = SyncTeam { domain: name, release: None, full: true, requested_at: None, request_id };
    let asked = async { Ok::<_, Failure>(context.place.queue(Inbox::Sync).await?.send(&message).await?) };
    if let Err(cause) = asked.await {
        context.output.note(format!("the next scheduled sync begins it: {}", chain(&cause)));
    }
    context.output.show(&View { did, cancel, retirement, facts })
}

/// What the command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Did {
    /// A dry run.
    Planned,
    /// It counts from now on.
    Decided,
    /// It was decided before.
    Before,
}

/// The domain as it is, and what the next run would do.
#[derive(Debug, Serialize)]
struct Facts {
    domain: DomainName,
    /// Whether the community file has it.
    #[serde(rename = "configured")]
    is_configured: bool,
    active: u64,
    leaving: u64,
    suspended: u64,
    retired: u64,
    /// What the next run does.
    to_leave: u64,
    to_suspend: u64,
    to_retire: u64,
    to_restore: u64,
    /// Members with an address that changes, each of whom is notified.
    members_notified: u64,
    /// When the personal data of suspended addresses goes at the earliest.
    data_goes: Timestamp,
}

impl Facts {
    async fn read(
        store: &Store,
        community: &Community,
        name: &DomainName,
        retirement: &Retirement,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let mut aliases: Vec<Alias> = Vec::new();
        store.each_alias(name, |alias| aliases.push(alias)).await?;
        let count = |status| aliases.iter().filter(|alias| alias.status == status).count() as u64;
        let [active, leaving, suspended, retired] =
            [Status::Active, Status::Leaving, Status::Suspended, Status::Retired].map(count);
        let plan = retirement.plan(name, aliases, &store.banned_members().await?, &community.rules, now);
        let Plan { counts: Counts { leave, suspend, retire, restore, .. }, steps, .. } = plan;
        let members: BTreeSet<_> = steps.iter().map(|step| step.member).collect();
        Ok(Self {
            domain: name.clone(),
            is_configured: community.domain(name).is_some(),
            active,
            leaving,
            suspended,
            retired,
            to_leave: leave,
            to_suspend: suspend,
            to_retire: retire,
            to_restore: restore,
            members_notified: members.len() as u64,
            data_goes: later(retirement.until, community.rules.retire_after()),
        })
    }

    fn has_aliases(&self) -> bool {
        self.active + self.leaving + self.suspended + self.retired > 0
    }
}

/// `domain retire`
#[derive(Debug, Serialize)]
struct View {
    did: Did,
    cancel: bool,
    retirement: Retirement,
    #[serde(flatten)]
    facts: Facts,
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { did, cancel, retirement, facts: about } = self;
        let name = &about.domain;
        match (did, cancel) {
            (Did::Planned, false) => writeln!(f, "{name} would be retired:\n")?,
            (Did::Planned, true) => writeln!(f, "The retirement of {name} would be cancelled:\n")?,
            (Did::Decided, false) => writeln!(f, "{name} is retired from now on:\n")?,
            (Did::Decided, true) => writeln!(f, "The retirement of {name} is cancelled:\n")?,
            (Did::Before, false) => writeln!(f, "{name} was retired before, at {}:\n", time(retirement.since))?,
            (Did::Before, true) => writeln!(f, "The retirement of {name} was cancelled before:\n")?,
        }
        let Facts { active, leaving, suspended, retired, to_leave, to_suspend, to_retire, to_restore, .. } = about;
        let changes =
            [(to_leave, "to leave"), (to_suspend, "to suspend"), (to_retire, "to retire"), (to_restore, "to restore")];
        let changes: Vec<_> =
            changes.iter().filter(|(count, _)| **count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let changes = if changes.is_empty() { "nothing".to_owned() } else { changes.join(", ") };
        let file = if about.is_configured { "yes" } else { "no" };
        let ends = |at| (!cancel).then(|| time(at));
        let lines = [
            ("in the community file", Some(file.to_owned())),
            (
                "addresses",
                Some(format!("{active} active, {leaving} leaving, {suspended} suspended, {retired} retired")),
            ),
            ("next run", Some(changes)),
            ("members notified", Some(about.members_notified.to_string())),
            ("forwarding ends", ends(retirement.until)),
            ("personal data goes", ends(about.data_goes)),
        ];
        writeln!(f, "{}", facts(lines))?;
        match (cancel, about.is_configured) {
            (true, false) => {
                writeln!(f, "\nPut {name} back into the community file: without it, no sync follows its team.")
            }
            (false, _) => writeln!(
                f,
                "\nMail to its addresses is refused after that. Leave its MX and alias-map as they are until then."
            ),
            (true, true) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::community::Rules;

    use super::*;

    fn view(did: Did, cancel: bool, is_configured: bool) -> String {
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        let retirement = Retirement::new(now, &Rules::default(), Some("olivia"));
        let [to_leave, to_restore] = if cancel { [0, 12] } else { [12, 0] };
        let facts = Facts {
            domain: "ubuntu.com".parse().unwrap(),
            is_configured,
            active: 12,
            leaving: 1,
            suspended: 2,
            retired: 3,
            to_leave,
            to_suspend: 0,
            to_retire: 0,
            to_restore,
            members_notified: 11,
            data_goes: later(retirement.until, Rules::default().retire_after()),
        };
        View { did, cancel, retirement, facts }.to_string()
    }

    #[test]
    fn retirements_as_operators_see_them() {
        let views = [
            view(Did::Planned, false, true),
            view(Did::Decided, false, false),
            view(Did::Before, false, true),
            view(Did::Planned, true, true),
            view(Did::Decided, true, false),
        ];
        insta::assert_snapshot!(views.join("---\n"));
    }
}
