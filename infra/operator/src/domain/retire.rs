//! `membermail domain retire`: ends the addresses of a domain after their grace period. Removing the domain from the community
//! file does not end them.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use membermail_core::address::DomainName;
use membermail_core::alias::{Alias, Status};
use membermail_core::clock::{Clock, later};
use membermail_core::community::Community;
use membermail_core::plan::{Counts, Plan};
use membermail_core::retirement::Retirement;
use membermail_runtime::batch::chain;
use membermail_store::{Retired, Store};
use serde::Serialize;

use crate::context::Context;
use crate::deployment::{WorkQueue, find_domain};
use crate::failure::Failure;
use crate::output::{facts, time};
use crate::sync::full_sync;

/// The domain and the action.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The domain, which can be missing from the community file
    domain: DomainName,
    /// Cancel the retirement and restore the addresses
    #[arg(long)]
    cancel: bool,
    /// Apply the change; without it, the command is a dry run
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(context: &Context, options: Options) -> Result<(), Failure> {
    let Options { domain: name, cancel, yes } = options;
    let store = context.deployment.store().await?;
    let community = context.deployment.community().await?;
    let cause = context.operator.cause()?;
    let random = context.operator.random();
    let stored = store.domain(&name).await?;
    let retirement = match (&stored.retirement, cancel) {
        (Some(retirement), true) => Retirement { cancelled: Some(cause.now), ended: None, ..retirement.clone() },
        (None, true) => return Err(Failure::NotFound(format!("retirement of {name} to cancel"))),
        (Some(retirement), false) if retirement.cancelled.is_none() => retirement.clone(),
        (_, false) => Retirement::new(cause.now, &community.rules, cause.by),
    };
    let facts = Facts::load(&store, &community, &name, &retirement, context.operator.clock.now()).await?;
    if !facts.is_configured && !facts.has_aliases() && !stored.accepts_mail() {
        find_domain(&community, &name)?;
    }
    if !yes {
        context.output.show(&View { stage: Stage::Planned, cancel, retirement, facts })?;
        context.output.note("This was a dry run. Add --yes to apply it.");
        return Ok(());
    }
    let decided = if cancel {
        store.cancel_retirement(&name, cause, random).await?
    } else {
        store.retire_domain(&name, &retirement, cause, random).await?
    };
    let (stage, retirement) = match decided {
        Retired::Decided(retirement) => (Stage::Decided, retirement),
        Retired::Before(retirement) => (Stage::AlreadyDecided, retirement),
        Retired::NotRetiring => return Err(Failure::NotFound(format!("retirement of {name} to cancel"))),
    };
    // Starts the sync now. If this fails, the scheduled one does the same later.
    let message = full_sync(&name, context.operator.request_id());
    let sent = async { Ok::<_, Failure>(context.deployment.queue(WorkQueue::Sync).await?.send(&message).await?) };
    if let Err(cause) = sent.await {
        let cause = chain(&cause);
        context
            .output
            .note(format!("The sync could not be requested; the next scheduled one starts the change: {cause}"));
    }
    context.output.show(&View { stage, cancel, retirement, facts })
}

/// The stage of the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Stage {
    /// A dry run.
    Planned,
    /// Decided by this command.
    Decided,
    /// Decided before.
    #[serde(rename = "before")]
    AlreadyDecided,
}

/// The state of the domain, and the effects of the next run.
#[derive(Debug, Serialize)]
struct Facts {
    domain: DomainName,
    /// Whether the community file has the domain.
    #[serde(rename = "configured")]
    is_configured: bool,
    active: u64,
    leaving: u64,
    suspended: u64,
    retired: u64,
    /// Aliases that the next run changes to `leaving`.
    to_leave: u64,
    to_suspend: u64,
    to_retire: u64,
    to_restore: u64,
    /// Members who are notified, because an address of theirs changes.
    members_notified: u64,
    /// The earliest time when the personal data of suspended addresses is deleted.
    #[serde(rename = "data_goes")]
    data_deleted_after: Timestamp,
}

impl Facts {
    async fn load(
        store: &Store,
        community: &Community,
        name: &DomainName,
        retirement: &Retirement,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let mut aliases: Vec<Alias> = Vec::new();
        store.each_alias(name, |alias| aliases.push(alias)).await?;
        let [active, leaving, suspended, retired] =
            [Status::Active, Status::Leaving, Status::Suspended, Status::Retired]
                .map(|status| aliases.iter().filter(|alias| alias.status == status).count() as u64);
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
            data_deleted_after: later(retirement.until, community.rules.retire_after()),
        })
    }

    fn has_aliases(&self) -> bool {
        self.active + self.leaving + self.suspended + self.retired > 0
    }
}

/// `domain retire`
#[derive(Debug, Serialize)]
struct View {
    #[serde(rename = "did")]
    stage: Stage,
    cancel: bool,
    retirement: Retirement,
    #[serde(flatten)]
    facts: Facts,
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, cancel, retirement, facts: state } = self;
        let name = &state.domain;
        match (stage, cancel) {
            (Stage::Planned, false) => writeln!(f, "{name} would be retired:\n")?,
            (Stage::Planned, true) => writeln!(f, "The retirement of {name} would be cancelled:\n")?,
            (Stage::Decided, false) => writeln!(f, "{name} is now retiring:\n")?,
            (Stage::Decided, true) => writeln!(f, "The retirement of {name} is cancelled:\n")?,
            (Stage::AlreadyDecided, false) => {
                writeln!(f, "{name} has been retiring since {}:\n", time(retirement.since))?;
            }
            (Stage::AlreadyDecided, true) => writeln!(f, "The retirement of {name} was already cancelled:\n")?,
        }
        let Facts { active, leaving, suspended, retired, to_leave, to_suspend, to_retire, to_restore, .. } = state;
        let changes =
            [(to_leave, "to leave"), (to_suspend, "to suspend"), (to_retire, "to retire"), (to_restore, "to restore")];
        let changes: Vec<_> =
            changes.iter().filter(|(count, _)| **count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let changes = if changes.is_empty() { "nothing".to_owned() } else { changes.join(", ") };
        let file = if state.is_configured { "yes" } else { "no" };
        let lines = [
            ("in the community file", Some(file.to_owned())),
            (
                "addresses",
                Some(format!("{active} active, {leaving} leaving, {suspended} suspended, {retired} retired")),
            ),
            ("next run", Some(changes)),
            ("members notified", Some(state.members_notified.to_string())),
            ("forwarding ends", (!cancel).then(|| time(retirement.until))),
            ("personal data deleted", (!cancel).then(|| time(state.data_deleted_after))),
        ];
        writeln!(f, "{}", facts(lines))?;
        match (cancel, state.is_configured) {
            (true, false) => {
                writeln!(f, "\nAdd {name} to the community file again. Until then, no sync reads its team.")
            }
            (false, _) => writeln!(
                f,
                "\nAfterwards, mail to its addresses is rejected. Until then, keep its MX record and alias-map unchanged."
            ),
            (true, true) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use membermail_core::community::Rules;

    use super::*;

    fn view(stage: Stage, cancel: bool, is_configured: bool) -> String {
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
            data_deleted_after: later(retirement.until, Rules::default().retire_after()),
        };
        View { stage, cancel, retirement, facts }.to_string()
    }

    #[test]
    fn retirement_views() {
        let views = [
            view(Stage::Planned, false, true),
            view(Stage::Decided, false, false),
            view(Stage::AlreadyDecided, false, true),
            view(Stage::Planned, true, true),
            view(Stage::Decided, true, false),
        ];
        insta::assert_snapshot!(views.join("---\n"));
    }
}
