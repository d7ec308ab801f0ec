//! What holds for any input, not just for those somebody thought of.

use membermail_identity::openid2::{Answer, ConfirmError};
use proptest::prelude::*;

use crate::support::World;

/// Whatever signed field is changed behind the provider's back, it is refused here or denied there.
#[tokio::test]
async fn no_signed_field_can_be_changed() {
    let world = World::new().await;
    let signed = world.good().get("openid.signed").to_owned();
    for name in signed.split(',') {
        let mut answer = world.good();
        let name = format!("openid.{name}");
        let changed = format!("{}x", answer.get(&name));
        answer.set(&name, &changed);
        if let Ok(checked) = world.check(&answer.encode()) {
            assert!(matches!(world.party.confirm(checked).await, Err(ConfirmError::Forged)), "{name}");
        }
    }
}

/// Replaces, cuts or fills one character of a field.
fn mutated(value: &str, place: usize, how: u8, by: char) -> String {
    let mut characters: Vec<char> = value.chars().collect();
    let place = place % (characters.len() + 1);
    match (how, characters.get(place).is_some()) {
        (0, true) => characters[place] = by,
        (1, true) => drop(characters.remove(place)),
        _ => characters.insert(place, by),
    }
    characters.into_iter().collect()
}

#[test]
fn no_change_of_a_signed_field_is_confirmed() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let signed: Vec<_> = world.good().get("openid.signed").split(',').map(str::to_owned).collect();
    let strategy = (0..signed.len(), any::<usize>(), 0u8..3, any::<char>());
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&strategy, |(field, place, how, by)| {
        let name = format!("openid.{}", signed[field]);
        let mut answer = world.good();
        let changed = mutated(answer.get(&name), place, how, by);
        prop_assume!(changed != answer.get(&name));
        answer.set(&name, &changed);
        if let Ok(checked) = world.check(&answer.encode()) {
            let outcome = runtime.block_on(world.party.confirm(checked));
            prop_assert!(matches!(outcome, Err(ConfirmError::Forged)), "{name} = {changed:?}");
        }
        Ok(())
    });
    result.unwrap();
}

proptest! {
    #[test]
    fn nothing_that_comes_in_brings_it_down(query in ".{0,300}", body in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = Answer::from_query(&query);
        let _ = Answer::from_form(&query, Some("application/x-www-form-urlencoded"), &body);
    }

    /// What is read is what was written, whatever it is.
    #[test]
    fn an_answer_reads_what_it_was_written_as(value in "[^\\r\\n\\x00]{0,60}") {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", &value).finish();
        let answer = Answer::from_query(&query).unwrap();
        prop_assert_eq!(answer.parameter("state"), Some(value.as_str()));
    }
}
