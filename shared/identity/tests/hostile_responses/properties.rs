//! Property tests: what holds for any input.

use membermail_identity::openid2::{ConfirmError, IndirectResponse};
use proptest::prelude::*;

use crate::support::World;

/// A changed signed field is refused by the checks or denied by the provider.
#[tokio::test]
async fn changed_signed_field_is_refused() {
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

/// Replaces, removes or inserts one character of a field.
fn mutated(value: &str, index: usize, how: u8, by: char) -> String {
    let mut characters: Vec<char> = value.chars().collect();
    let index = index % (characters.len() + 1);
    match (how, characters.get(index).is_some()) {
        (0, true) => characters[index] = by,
        (1, true) => drop(characters.remove(index)),
        _ => characters.insert(index, by),
    }
    characters.into_iter().collect()
}

#[test]
fn mutated_signed_field_is_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::new());
    let signed: Vec<_> = world.good().get("openid.signed").split(',').map(str::to_owned).collect();
    let strategy = (0..signed.len(), any::<usize>(), 0u8..3, any::<char>());
    let config = ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let result = runner.run(&strategy, |(field, index, how, by)| {
        let name = format!("openid.{}", signed[field]);
        let mut answer = world.good();
        let changed = mutated(answer.get(&name), index, how, by);
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
    fn parser_never_panics(query in ".{0,300}", body in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = IndirectResponse::from_query(&query);
        let _ = IndirectResponse::from_form(&query, Some("application/x-www-form-urlencoded"), &body);
    }

    #[test]
    fn parameters_round_trip(value in "[^\\r\\n\\x00]{0,60}") {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", &value).finish();
        let answer = IndirectResponse::from_query(&query).unwrap();
        prop_assert_eq!(answer.parameter("state"), Some(value.as_str()));
    }
}
