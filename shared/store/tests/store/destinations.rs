//! Members add, choose and remove destinations.

use std::collections::BTreeSet;

use membermail_core::alias::GrantRequest;
use membermail_core::audit::{Change, SwitchChange};
use membermail_core::code::Code;
use membermail_core::destination::{DestinationId, MAX_PER_MEMBER};
use membermail_core::email::EmailAddress;
use membermail_core::random::OsRandom;
use membermail_store::{
    Choice, Confirmed, Forwarding, GrantOutcome, Member, Proof, Redirected, Removed, Requested, Sealer, Store,
};

use crate::support::{MASTER, World, address, community, days, minutes, now, observed, operator};

pub(crate) const ALICE: &str = "alice@ubuntu.com";

pub(crate) fn email(text: &str) -> EmailAddress {
    EmailAddress::parse(text).unwrap()
}

impl World {
    /// Requests the confirmation of a new destination.
    pub(crate) async fn request(&self, member: &Member, text: &str, replaces: bool) -> Requested {
        self.store
            .add_destination(&self.sealer, member, (&email(text), replaces), operator(now()), &OsRandom)
            .await
            .unwrap()
    }

    pub(crate) async fn requested(&self, member: &Member, text: &str) -> DestinationId {
        let requested = self.request(member, text, false).await;
        let Requested::Sent { id, .. } = requested else { panic!("{requested:?}") };
        id
    }

    /// The code in the mail to that destination.
    pub(crate) async fn code(&self, member: &Member, id: DestinationId) -> Code {
        let stored = self.store.destination(member.id, id).await.unwrap().unwrap();
        let address = stored.address(&self.sealer, &member.key_context).unwrap();
        let pending = stored.destination.pending.unwrap();
        let proof = Proof::Mailbox { member: member.id, destination: id, pending: &pending, address: &address };
        self.sealer.code(proof).unwrap()
    }

    pub(crate) async fn enter(&self, member: &Member, id: DestinationId, code: Option<&Code>) -> Confirmed {
        let cause = operator(minutes(1));
        self.store.confirm_destination(&self.sealer, member, (id, code), cause, &OsRandom).await.unwrap()
    }

    /// Adds a destination and confirms it. Returns the id of the change too.
    pub(crate) async fn confirmed(&self, member: &Member, text: &str, replaces: bool) -> (DestinationId, ulid::Ulid) {
        let requested = self.request(member, text, replaces).await;
        let Requested::Sent { id, .. } = requested else { panic!("{requested:?}") };
        let code = self.code(member, id).await;
        let confirmed = self.enter(member, id, Some(&code)).await;
        let Confirmed::Done { entry, .. } = confirmed else { panic!("{confirmed:?}") };
        (id, entry)
    }

    pub(crate) async fn choose(&self, member: &Member, text: &str, chosen: &[DestinationId]) -> Redirected {
        let address = address(text);
        let choice = Choice { address: &address, seen: None, destinations: chosen };
        self.store.redirect(&self.sealer, member, choice, operator(minutes(2)), &OsRandom).await.unwrap()
    }

    pub(crate) async fn remove(&self, member: &Member, id: DestinationId) -> Removed {
        self.store.remove_destination(member, id, operator(minutes(3)), &OsRandom).await.unwrap()
    }

    /// The mailboxes that mail to an alias goes to.
    pub(crate) async fn mailboxes(&self, text: &str) -> BTreeSet<String> {
        let Forwarding { stored, key_context, destinations } =
            self.store.forwarding(&address(text)).await.unwrap().unwrap();
        assert_eq!(destinations.len(), stored.destinations.len(), "{text} lists a destination that does not exist");
        let usable = destinations.iter().filter(|stored| stored.destination.is_usable());
        let key_context = key_context.unwrap();
        usable.map(|stored| stored.address(&self.sealer, &key_context).unwrap().expose().to_owned()).collect()
    }

    /// The default destination of a member: the first one, unless they replaced it.
    pub(crate) async fn first(&self, member: &Member) -> DestinationId {
        self.read(member.id).await.destination.unwrap()
    }

    /// Two linked members with an address each; the first one survives.
    pub(crate) async fn linked_residents(&self) -> (Member, Member) {
        let (alice, _) = self.resident("alice").await;
        let (alex, _) = self.resident("alex").await;
        self.link_ids(alice.id, alex.id).await;
        (self.read(alice.id).await, self.read(alex.id).await)
    }
}

/// Grants an address by another store on the same table.
pub(crate) async fn grant_in(store: &Store, member: &Member, text: &str) -> GrantOutcome {
    let address = address(text);
    let known_as = observed(address.local_part.as_str(), now());
    let request = GrantRequest { address: &address, existing: None, known_as: &known_as, renamed_from: None, limit: 3 };
    store.grant(member, request, &community(), operator(now()), &OsRandom).await.unwrap()
}

pub(crate) fn set(mailboxes: &[&str]) -> BTreeSet<String> {
    mailboxes.iter().map(|mailbox| (*mailbox).to_owned()).collect()
}

#[tokio::test]
async fn unconfirmed_destination_gets_no_mail() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let id = world.requested(&alice, "new@mail.example").await;
    assert_eq!(world.choose(&alice, ALICE, &[id]).await, Redirected::Unsuitable);
    assert_eq!(world.mailboxes(ALICE).await, set(&["alice@mail.example"]));
    let again = world.request(&alice, "new@mail.example", false).await;
    assert!(matches!(again, Requested::Sent { id: same, .. } if same == id), "one item for each address");
    let known = world.request(&alice, "alice@mail.example", false).await;
    assert_eq!(known, Requested::Known(world.first(&alice).await));
}

#[tokio::test]
async fn eleventh_destination_is_refused() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    for index in 1..MAX_PER_MEMBER {
        world.requested(&alice, &format!("new{index}@mail.example")).await;
    }
    assert_eq!(world.request(&alice, "last@mail.example", false).await, Requested::TooMany);
    let again = world.request(&alice, "new1@mail.example", false).await;
    let Requested::Sent { id, .. } = again else { panic!("{again:?}") };
    assert!(matches!(world.remove(&alice, id).await, Removed::Done { .. }));
    world.requested(&alice, "last@mail.example").await;
    assert_eq!(world.request(&alice, "new1@mail.example", false).await, Requested::TooMany, "it does not come back");
}

#[tokio::test]
async fn removed_destination_is_added_anew() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (id, _) = world.confirmed(&alice, "new@mail.example", false).await;
    assert!(matches!(world.remove(&alice, id).await, Removed::Done { .. }));
    assert_eq!(world.remove(&alice, id).await, Removed::Missing);
    let added = world.requested(&alice, "new@mail.example").await;
    let stored = world.store.destination(alice.id, added).await.unwrap().unwrap();
    assert!(added != id && stored.destination.confirmed.is_none() && stored.destination.removed.is_none());
    // Reverting the removal brings the old one back confirmed, so a thief cannot make it useless by adding it again.
    let old = world.store.destination(alice.id, id).await.unwrap().unwrap();
    assert!(old.destination.confirmed.is_some() && old.destination.removed.is_some());
}

#[tokio::test]
async fn choice_is_checked() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (bob, _) = world.resident("bob").await;
    let own = world.first(&alice).await;
    let foreign = world.first(&bob).await;
    let unsuitable: [&[DestinationId]; 3] = [&[], &[foreign], &[own, foreign]];
    for chosen in unsuitable {
        assert_eq!(world.choose(&alice, ALICE, chosen).await, Redirected::Unsuitable);
    }
    for yours in ["bob@ubuntu.com", "missing@ubuntu.com"] {
        assert_eq!(world.choose(&alice, yours, &[own]).await, Redirected::NotYours);
    }
    let mut six = vec![own];
    for index in 0..5 {
        six.push(world.confirmed(&alice, &format!("new{index}@mail.example"), false).await.0);
    }
    assert_eq!(world.choose(&alice, ALICE, &six).await, Redirected::Unsuitable);
    assert!(matches!(world.choose(&alice, ALICE, &six[1..]).await, Redirected::Done { .. }));
    assert_eq!(world.mailboxes(ALICE).await.len(), 5);
    assert_eq!(world.choose(&alice, ALICE, &six[1..]).await, Redirected::Unchanged);
    let mut ended = alice.clone();
    ended.session_epoch = 7;
    let choice = Choice { address: &address(ALICE), seen: None, destinations: &six[..1] };
    let late = world.store.redirect(&world.sealer, &ended, choice, operator(now()), &OsRandom).await;
    assert!(late.is_err(), "the sessions ended: {late:?}");
}

#[tokio::test]
async fn choice_on_stale_page_changes_nothing() {
    let world = World::new().await;
    let (alice, alias) = world.resident("alice").await;
    let first = world.first(&alice).await;
    let (id, _) = world.confirmed(&alice, "new@mail.example", false).await;
    let choose = async |destinations: &[DestinationId]| {
        let choice = Choice { address: &alias.address, seen: Some(alias.version), destinations };
        world.store.redirect(&world.sealer, &alice, choice, operator(now()), &OsRandom).await.unwrap()
    };
    let (both, one) = ([first, id], [id]);
    let (both, one) = tokio::join!(choose(&both), choose(&one));
    let done = [both, one].iter().filter(|outcome| matches!(outcome, Redirected::Done { .. })).count();
    assert_eq!((done, [both, one].contains(&Redirected::Stale)), (1, true), "{both:?} {one:?}");
    let owner = alice.id;
    let history = world.store.history_of(owner, 10).await.unwrap();
    let redirected = |change: &Change| matches!(change, Change::Switch { did: SwitchChange::Redirected, .. });
    assert_eq!(history.iter().filter(|entry| redirected(&entry.change)).count(), 1);
}

#[tokio::test]
async fn linked_address_gets_copy() {
    let world = World::new().await;
    let (alice, alex) = world.linked_residents().await;
    let (id, _) = world.confirmed(&alice, "new@mail.example", false).await;
    assert!(matches!(world.choose(&alice, "alex@ubuntu.com", &[id]).await, Redirected::Done { .. }));
    assert_eq!(world.mailboxes("alex@ubuntu.com").await, set(&["new@mail.example"]));
    assert_eq!(world.store.destinations_of(alex.id).await.unwrap().len(), 2, "a copy under the key of its member");
    assert_eq!(world.choose(&alice, "alex@ubuntu.com", &[id]).await, Redirected::Unchanged, "no second copy");
    let (old, new) = (world.first(&alice).await, world.first(&alex).await);
    assert!(matches!(world.choose(&alice, ALICE, &[old, new]).await, Redirected::Done { .. }));
    assert_eq!(world.mailboxes(ALICE).await, set(&["alice@mail.example", "alex@mail.example"]));
}

#[tokio::test]
async fn last_destination_is_kept() {
    let world = World::new().await;
    let (alice, alias) = world.resident("alice").await;
    let first = world.first(&alice).await;
    assert_eq!(world.remove(&alice, first).await, Removed::LastOf(vec![alias.address.clone()]));
    let (id, _) = world.confirmed(&alice, "new@mail.example", false).await;
    world.choose(&alice, ALICE, &[first, id]).await;
    let (bob, _) = world.resident("bob").await;
    assert_eq!(world.remove(&bob, first).await, Removed::Missing, "of another member");
    assert!(matches!(world.remove(&alice, first).await, Removed::Done { .. }));
    assert_eq!(world.mailboxes(ALICE).await, set(&["new@mail.example"]));
    let GrantOutcome::Created { .. } = world.grant(&world.read(alice.id).await, "second@ubuntu.com").await else {
        panic!("no second address")
    };
    assert_eq!(world.mailboxes("second@ubuntu.com").await, set(&["new@mail.example"]), "the new default");
}

/// Each write of one operation happens at each point of the other.
#[tokio::test]
async fn concurrent_removal_leaves_no_dangling_alias() {
    for is_grant in [false, true] {
        let world = World::new().await;
        let (alice, _) = world.resident("alice").await;
        let first = world.first(&alice).await;
        let (id, _) = world.confirmed(&alice, "new@mail.example", false).await;
        world.choose(&alice, ALICE, &[id]).await;
        let alice = world.read(alice.id).await;
        let grant = world.store.clone();
        let (member, sealer) = (alice.clone(), std::sync::Arc::new(Sealer::new(MASTER)));
        let remover = world.store.intercept_writes(move |count| {
            let (store, member, sealer) = (grant.clone(), member.clone(), std::sync::Arc::clone(&sealer));
            Box::pin(async move {
                if count == 0 && is_grant {
                    grant_in(&store, &member, "second@ubuntu.com").await;
                } else if count == 0 {
                    let choice = Choice { address: &address(ALICE), seen: None, destinations: &[first] };
                    let chosen = store.redirect(&sealer, &member, choice, operator(now()), &OsRandom).await.unwrap();
                    assert!(matches!(chosen, Redirected::Done { .. }));
                }
                true
            })
        });
        let removed = remover.remove_destination(&alice, first, operator(minutes(3)), &OsRandom).await.unwrap();
        assert!(matches!(removed, Removed::LastOf(_)), "{removed:?}");
        assert!(world.mailboxes(ALICE).await.len() == 1);
        if is_grant {
            assert_eq!(world.mailboxes("second@ubuntu.com").await, set(&["alice@mail.example"]));
        }
    }
}

#[tokio::test]
async fn grant_during_removal_gets_next_default() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let first = world.first(&alice).await;
    let (id, _) = world.confirmed(&alice, "new@mail.example", false).await;
    world.choose(&alice, ALICE, &[id]).await;
    let alice = world.read(alice.id).await;
    let (store, member) = (world.store.clone(), alice.clone());
    let granter = world.store.intercept_writes(move |count| {
        let (store, member) = (store.clone(), member.clone());
        Box::pin(async move {
            if count == 0 {
                store.remove_destination(&member, first, operator(minutes(3)), &OsRandom).await.unwrap();
            }
            true
        })
    });
    grant_in(&granter, &alice, "second@ubuntu.com").await;
    assert_eq!(world.mailboxes("second@ubuntu.com").await, set(&["new@mail.example"]));
}

#[tokio::test]
async fn later_sign_in_changes_no_destination() {
    let world = World::new().await;
    let (alice, _) = world.resident("alice").await;
    let (id, _) = world.confirmed(&alice, "new@mail.example", true).await;
    world.store.redirect_all(&world.sealer, &alice, id, operator(now()), &OsRandom).await.unwrap();
    world.member("alice", "alice@other.example").await;
    world.grant_at(&world.read(alice.id).await, ALICE, days(1), days(1)).await;
    assert_eq!(world.mailboxes(ALICE).await, set(&["new@mail.example"]));
    assert_eq!(world.read(alice.id).await.destination, Some(id), "also of new addresses");
    assert_eq!(world.store.destinations_of(alice.id).await.unwrap().len(), 2);
}
