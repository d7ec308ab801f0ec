//! The observer: two members claim a name, and the source says whether they are one person.

use membermail_core::audit::{Actor, Change, LinkChange};
use membermail_core::clock::Clock;
use membermail_core::eligibility::{Observation, Outcome};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_store::CheckState;
use membermail_sync::{ObserveError, Observer, Settled};

use crate::source::Profile;
use crate::support::{World, name, table};

impl World {
    fn observer(&self) -> Observer<'_> {
        let (store, clock) = (self.store(), &*self.clock);
        let (actor, by, request_id) = (Actor::Member, None, "request-3");
        Observer { source: &self.source, store, clock, random: &OsRandom, actor, by, request_id }
    }

    /// Looks a member up by a word and records the answer with an outcome.
    pub(crate) async fn settle(&self, member: MemberId, word: &str) -> Result<Settled, ObserveError> {
        let (person, observed_at) = self.observer().ask(&[table::identity(word)]).await?;
        let seen = person.map(|person| Observation { person, observed_at });
        self.record(member, seen.as_ref()).await
    }

    async fn record(&self, member: MemberId, seen: Option<&Observation>) -> Result<Settled, ObserveError> {
        let member = self.table.read(member).await;
        let outcome = Some((&Outcome::NoTeam, member.check.requested_at));
        self.observer().record(member, seen, outcome).await
    }

    /// A member without an observation.
    async fn newcomer(&self, word: &str) -> MemberId {
        self.table.member(word, &format!("{word}@mail.example")).await.id
    }

    async fn owner_of(&self, text: &str) -> MemberId {
        self.store().members_by_names(&[name(text)]).await.unwrap().first().unwrap().1
    }

    async fn name_of(&self, member: MemberId) -> String {
        self.table.read(member).await.name().unwrap().to_string()
    }
}

#[tokio::test]
async fn free_name_is_recorded() {
    let world = World::without_sync("free", 1).await;
    let alice = world.newcomer("alice").await;
    world.source.lock().people.insert(9, Profile::new("alice", 9));
    let settled = world.settle(alice, "alice").await.unwrap();
    assert_eq!((settled.member.id, settled.linked, settled.is_stale), (alice, None, false));
    assert_eq!((world.name_of(alice).await, world.owner_of("alice").await), ("alice".to_owned(), alice));
}

#[tokio::test]
async fn same_person_is_linked() {
    let world = World::without_sync("same", 1).await;
    let first = world.alias("member01").await.member;
    world.source.change(1, |profile| profile.words.push("second".into()));
    let second = world.newcomer("second").await;
    let settled = world.settle(second, "second").await.unwrap();
    assert_eq!((settled.member.id, settled.is_stale), (first, false));
    let entry = world.store().undelivered(settled.linked.unwrap()).await.unwrap().unwrap();
    let linked = Change::Link { member: first, other: second, did: LinkChange::Linked };
    assert_eq!((entry.change, entry.actor), (linked, Actor::Member));
    let survivor = world.table.read(first).await;
    assert_eq!((survivor.merged, survivor.check.outcome), (vec![second], Some(Outcome::NoTeam)));
    assert_eq!(
        world.table.member("second", "second@mail.example").await.id,
        first,
        "the next sign-in is the survivor's"
    );
}

/// The holder of the name takes it after the request about the newcomer and before the one about the holder.
#[tokio::test]
async fn other_account_is_never_linked() {
    let world = World::without_sync("between", 1).await;
    let holder = world.alias("member01").await.member;
    let eve = world.newcomer("eve").await;
    world.source.lock().people.insert(9, Profile { words: vec!["eve".into()], ..Profile::new("member01", 9) });
    let (person, observed_at) = world.observer().ask(&[table::identity("eve")]).await.unwrap();
    let seen = person.map(|person| Observation { person, observed_at });
    let settled = world.record(eve, seen.as_ref()).await;
    assert!(settled.as_ref().is_err_and(ObserveError::is_retryable), "{settled:?}");
    assert_eq!((world.owner_of("member01").await, world.table.read(holder).await.merged), (holder, vec![]));
}

#[tokio::test]
async fn passed_name_moves_and_holder_is_recorded() {
    let world = World::without_sync("passed", 1).await;
    let holder = world.alias("member01").await.member;
    world.source.change(1, |profile| profile.name = "renamed".into());
    world.source.lock().people.insert(9, Profile { words: vec!["eve".into()], ..Profile::new("member01", 9) });
    let eve = world.newcomer("eve").await;
    let settled = world.settle(eve, "eve").await.unwrap();
    assert_eq!((settled.member.id, settled.linked, settled.is_stale), (eve, None, false));
    assert_eq!((world.owner_of("member01").await, world.owner_of("renamed").await), (eve, holder));
    assert_eq!((world.name_of(holder).await, world.name_of(eve).await), ("renamed".to_owned(), "member01".to_owned()));
    assert_eq!(world.table.read(holder).await.check.state, CheckState::Pending, "the holder's check is their own");
}

#[tokio::test]
async fn name_of_closed_holder_moves() {
    let world = World::without_sync("closed-holder", 1).await;
    let holder = world.alias("member01").await.member;
    world.source.lock().people.clear();
    world.source.lock().people.insert(9, Profile { words: vec!["eve".into()], ..Profile::new("member01", 9) });
    let eve = world.newcomer("eve").await;
    assert_eq!(world.settle(eve, "eve").await.unwrap().linked, None);
    assert_eq!(world.owner_of("member01").await, eve);
    assert_eq!(world.table.read(holder).await.merged_into, None);
}

#[tokio::test]
async fn merge_after_a_passed_name_links() {
    let world = World::without_sync("merge-later", 2).await;
    let [one, two] = [world.alias("member01").await.member, world.alias("member02").await.member];
    // The name of the first passes on while their account is away; then it is merged into the second's.
    world.source.lock().people.remove(&1);
    world.source.lock().people.insert(9, Profile { words: vec!["eve".into()], ..Profile::new("member01", 9) });
    let eve = world.newcomer("eve").await;
    world.settle(eve, "eve").await.unwrap();
    world.source.change(2, |profile| profile.words.push("member01".into()));
    let settled = world.settle(one, "member01").await.unwrap();
    assert_eq!((settled.member.id, settled.linked.is_some()), (two, true));
    assert_eq!(world.owner_of("member01").await, eve);
}

#[tokio::test]
async fn banned_holder_bans_the_second_sign_in() {
    let world = World::without_sync("banned-holder", 1).await;
    let holder = world.alias("member01").await.member;
    world.ban(holder).await;
    world.source.change(1, |profile| profile.words.push("second".into()));
    let second = world.newcomer("second").await;
    let settled = world.settle(second, "second").await.unwrap();
    assert!(settled.member.id == holder && settled.member.is_banned());
    assert!(world.store().banned_members().await.unwrap().contains(&second));
}

#[tokio::test]
async fn older_answer_is_stale() {
    let world = World::without_sync("stale", 1).await;
    let member = world.alias("member01").await.member;
    let (person, asked_at) = world.observer().ask(&[table::identity("member01")]).await.unwrap();
    let older = Observation { person: person.unwrap(), observed_at: asked_at };
    world.source.change(1, |profile| profile.name = "renamed".into());
    world.settle(member, "member01").await.unwrap();
    let settled = world.record(member, Some(&older)).await.unwrap();
    assert!(settled.is_stale && settled.member.id == member);
    assert_eq!(world.name_of(member).await, "renamed");
}

#[tokio::test]
async fn closed_account_keeps_last_observation() {
    let world = World::without_sync("closed-account", 1).await;
    let member = world.alias("member01").await.member;
    world.source.lock().people.clear();
    let settled = world.settle(member, "member01").await.unwrap();
    assert!(!settled.is_stale);
    let read = world.table.read(member).await;
    assert_eq!(
        (read.check.state, read.name().map(ToString::to_string)),
        (CheckState::Done, Some("member01".to_owned()))
    );
}

#[tokio::test]
async fn failing_holder_leaves_the_claim_open() {
    let world = World::without_sync("failing-holder", 1).await;
    let holder = world.alias("member01").await.member;
    world.source.lock().failing.insert("member01".into());
    world.source.change(1, |profile| profile.name = "renamed".into());
    world.source.lock().people.insert(9, Profile { words: vec!["eve".into()], ..Profile::new("member01", 9) });
    let eve = world.newcomer("eve").await;
    let error = world.settle(eve, "eve").await.unwrap_err();
    assert!(matches!(error, ObserveError::Source(_)) && error.is_retryable(), "{error}");
    assert_eq!(world.owner_of("member01").await, holder);
    assert_eq!(world.table.read(eve).await.check.state, CheckState::Pending);
}

#[tokio::test]
async fn first_known_identity_answers() {
    let world = World::without_sync("order", 2).await;
    let identities = ["unknown", "member02", "member01"].map(table::identity);
    let before = world.clock.now();
    let (person, asked_at) = world.observer().ask(&identities).await.unwrap();
    assert_eq!(person.unwrap().name, name("member02"));
    assert!(asked_at > before, "the time is that of the answering request");
    assert_eq!(world.observer().ask(&identities[..1]).await.unwrap().0, None);
}

#[tokio::test]
async fn exchanged_names_are_recorded_at_once() {
    let world = World::without_sync("exchanged", 2).await;
    let [one, two] = [world.alias("member01").await.member, world.alias("member02").await.member];
    world.swap(1, 2);
    world.settle(one, "member01").await.unwrap();
    assert_eq!((world.name_of(one).await, world.name_of(two).await), ("member02".to_owned(), "member01".to_owned()));
    assert_eq!((world.owner_of("member02").await, world.owner_of("member01").await), (one, two));
}
