//! The observer resolves conflicts of two members with the same name.

use membermail_core::audit::{Actor, Change, LinkChange};
use membermail_core::clock::Clock;
use membermail_core::eligibility::{CheckState, Observation, Outcome, Person};
use membermail_core::member::MemberId;
use membermail_core::random::OsRandom;
use membermail_sync::{ObserveError, Observer, PersonLookup, RecordedObservation};

use crate::support::{World, name, table};

impl World {
    pub(crate) fn observer(&self) -> Observer<'_> {
        Observer {
            source: &self.source,
            store: self.store(),
            clock: &self.clock,
            random: &OsRandom,
            actor: Actor::Member,
            by: None,
            request_id: "request-3",
        }
    }

    /// Looks a member up by the identity `word` and records the result with an outcome.
    pub(crate) async fn look_up_and_record(
        &self,
        member: MemberId,
        word: &str,
    ) -> Result<RecordedObservation, ObserveError> {
        let (person, observed_at) = self.observer().fetch_person(&[table::identity(word)]).await?;
        let seen = person.person().map(|person| Observation { person, observed_at });
        self.record(member, seen.as_ref()).await
    }

    async fn record(&self, member: MemberId, seen: Option<&Observation>) -> Result<RecordedObservation, ObserveError> {
        let member = self.table.read(member).await;
        let outcome = Some((&Outcome::NoTeam, member.check.requested_at));
        self.observer().record(member, seen, outcome).await
    }

    /// Adds a member without an observation.
    async fn add_newcomer(&self, word: &str) -> MemberId {
        self.table.member(word, &format!("{word}@mail.example")).await.id
    }

    async fn name_owner(&self, text: &str) -> MemberId {
        self.store().members_by_names(&[name(text)]).await.unwrap().first().unwrap().1
    }

    async fn member_name(&self, member: MemberId) -> String {
        self.table.read(member).await.name().unwrap().to_string()
    }
}

#[tokio::test]
async fn free_name_is_recorded() {
    let world = World::without_sync("free", 1).await;
    let alice = world.add_newcomer("alice").await;
    world.add_stranger(9, "alice", "alice");
    let recorded = world.look_up_and_record(alice, "alice").await.unwrap();
    assert_eq!((recorded.member.id, recorded.linked, recorded.is_stale), (alice, None, false));
    assert_eq!((world.member_name(alice).await, world.name_owner("alice").await), ("alice".to_owned(), alice));
}

#[tokio::test]
async fn same_person_is_linked() {
    let world = World::without_sync("same", 1).await;
    let first = world.alias("member01").await.member;
    world.source.change(1, |profile| profile.words.push("second".into()));
    let second = world.add_newcomer("second").await;
    let recorded = world.look_up_and_record(second, "second").await.unwrap();
    assert_eq!((recorded.member.id, recorded.is_stale), (first, false));
    let entry = world.store().undelivered(recorded.linked.unwrap()).await.unwrap().unwrap();
    let linked = Change::Link { member: first, other: second, did: LinkChange::Linked };
    assert_eq!((entry.change, entry.actor), (linked, Actor::Member));
    let survivor = world.table.read(first).await;
    assert_eq!((survivor.merged, survivor.check.outcome), (vec![second], Some(Outcome::NoTeam)));
    assert_eq!(
        world.table.member("second", "second@mail.example").await.id,
        first,
        "the next sign-in finds the survivor"
    );
}

/// The holder gets the name between the two requests to the source.
#[tokio::test]
async fn other_account_is_never_linked() {
    let world = World::without_sync("between", 1).await;
    let holder = world.alias("member01").await.member;
    let eve = world.add_newcomer("eve").await;
    world.add_stranger(9, "member01", "eve");
    let (person, observed_at) = world.observer().fetch_person(&[table::identity("eve")]).await.unwrap();
    let seen = person.person().map(|person| Observation { person, observed_at });
    let recorded = world.record(eve, seen.as_ref()).await;
    assert!(recorded.as_ref().is_err_and(ObserveError::is_retryable), "{recorded:?}");
    assert_eq!((world.name_owner("member01").await, world.table.read(holder).await.merged), (holder, vec![]));
}

#[tokio::test]
async fn reused_name_moves_to_new_holder() {
    let world = World::without_sync("passed", 1).await;
    let holder = world.alias("member01").await.member;
    world.source.change(1, |profile| profile.name = "renamed".into());
    world.add_stranger(9, "member01", "eve");
    let eve = world.add_newcomer("eve").await;
    let recorded = world.look_up_and_record(eve, "eve").await.unwrap();
    assert_eq!((recorded.member.id, recorded.linked, recorded.is_stale), (eve, None, false));
    assert_eq!((world.name_owner("member01").await, world.name_owner("renamed").await), (eve, holder));
    assert_eq!(
        (world.member_name(holder).await, world.member_name(eve).await),
        ("renamed".to_owned(), "member01".to_owned())
    );
    assert_eq!(world.table.read(holder).await.check.state, CheckState::Pending, "the holder's check is unchanged");
}

#[tokio::test]
async fn name_of_closed_holder_moves() {
    let world = World::without_sync("closed-holder", 1).await;
    let holder = world.alias("member01").await.member;
    world.source.lock().people.clear();
    world.add_stranger(9, "member01", "eve");
    let eve = world.add_newcomer("eve").await;
    assert_eq!(world.look_up_and_record(eve, "eve").await.unwrap().linked, None);
    assert_eq!(world.name_owner("member01").await, eve);
    assert_eq!(world.table.read(holder).await.merged_into, None);
}

#[tokio::test]
async fn merge_after_passed_name_links() {
    let world = World::without_sync("merge-later", 2).await;
    let [one, two] = [world.alias("member01").await.member, world.alias("member02").await.member];
    // The first member's name passes on while their account is missing; then the account is merged into the second member's.
    world.source.lock().people.remove(&1);
    world.add_stranger(9, "member01", "eve");
    let eve = world.add_newcomer("eve").await;
    world.look_up_and_record(eve, "eve").await.unwrap();
    world.source.change(2, |profile| profile.words.push("member01".into()));
    let recorded = world.look_up_and_record(one, "member01").await.unwrap();
    assert_eq!((recorded.member.id, recorded.linked.is_some()), (two, true));
    assert_eq!(world.name_owner("member01").await, eve);
}

#[tokio::test]
async fn banned_holder_bans_second_sign_in() {
    let world = World::without_sync("banned-holder", 1).await;
    let holder = world.alias("member01").await.member;
    world.ban(holder).await;
    world.source.change(1, |profile| profile.words.push("second".into()));
    let second = world.add_newcomer("second").await;
    let recorded = world.look_up_and_record(second, "second").await.unwrap();
    assert!(recorded.member.id == holder && recorded.member.is_banned());
    assert!(world.store().banned_members().await.unwrap().contains(&second));
}

#[tokio::test]
async fn older_observation_is_stale() {
    let world = World::without_sync("stale", 1).await;
    let member = world.alias("member01").await.member;
    let (person, requested_at) = world.observer().fetch_person(&[table::identity("member01")]).await.unwrap();
    let older = Observation { person: person.person().unwrap(), observed_at: requested_at };
    world.source.change(1, |profile| profile.name = "renamed".into());
    world.look_up_and_record(member, "member01").await.unwrap();
    let recorded = world.record(member, Some(&older)).await.unwrap();
    assert!(recorded.is_stale && recorded.member.id == member);
    assert_eq!(world.member_name(member).await, "renamed");
}

#[tokio::test]
async fn closed_account_keeps_last_observation() {
    let world = World::without_sync("closed-account", 1).await;
    let member = world.alias("member01").await.member;
    world.source.lock().people.clear();
    let recorded = world.look_up_and_record(member, "member01").await.unwrap();
    assert!(!recorded.is_stale);
    let read = world.table.read(member).await;
    assert_eq!(
        (read.check.state, read.name().map(ToString::to_string)),
        (CheckState::Done, Some("member01".to_owned()))
    );
}

#[tokio::test]
async fn failing_holder_leaves_name_unchanged() {
    let world = World::without_sync("failing-holder", 1).await;
    let holder = world.alias("member01").await.member;
    world.source.lock().failing.insert("member01".into());
    world.source.change(1, |profile| profile.name = "renamed".into());
    world.add_stranger(9, "member01", "eve");
    let eve = world.add_newcomer("eve").await;
    let error = world.look_up_and_record(eve, "eve").await.unwrap_err();
    assert!(matches!(error, ObserveError::Source(_)) && error.is_retryable(), "{error}");
    assert_eq!(world.name_owner("member01").await, holder);
    assert_eq!(world.table.read(eve).await.check.state, CheckState::Pending);
}

#[tokio::test]
async fn first_known_identity_is_used() {
    let world = World::without_sync("order", 2).await;
    let identities = ["unknown", "member02", "member01"].map(table::identity);
    let before = world.clock.now();
    let (person, requested_at) = world.observer().fetch_person(&identities).await.unwrap();
    assert_eq!(person.person().unwrap().name, name("member02"));
    assert!(requested_at > before, "the time is that of the answering request");
    assert_eq!(world.observer().fetch_person(&identities[..1]).await.unwrap().0, PersonLookup::NoAccount);
}

#[tokio::test]
async fn preferred_account_goes_before_first() {
    let world = World::without_sync("preferred", 3).await;
    let identities = ["unknown", "member01", "member02", "member03"].map(table::identity);
    for (preferred, expected) in [("member02", "member02"), ("nowhere", "member01")] {
        let is_preferred = |person: &Person| person.name == name(preferred);
        let (person, _) = world.observer().fetch_preferred(&identities, &is_preferred).await.unwrap();
        assert_eq!(person.person().unwrap().name, name(expected));
    }
    let (absent, _) = world.observer().fetch_preferred(&identities[..1], &|_| false).await.unwrap();
    assert_eq!(absent, PersonLookup::NoAccount);
}

#[tokio::test]
async fn swapped_names_are_recorded_at_once() {
    let world = World::without_sync("exchanged", 2).await;
    let [one, two] = [world.alias("member01").await.member, world.alias("member02").await.member];
    world.swap(1, 2);
    world.look_up_and_record(one, "member01").await.unwrap();
    assert_eq!(
        (world.member_name(one).await, world.member_name(two).await),
        ("member02".to_owned(), "member01".to_owned())
    );
    assert_eq!((world.name_owner("member02").await, world.name_owner("member01").await), (one, two));
}
