use super::super::usage::Line;
use super::*;

const UBUNTU: Community = Community { members: 2_000.0, domains: 6.0 };

/// Made-up figures in round numbers.
fn measured() -> Measured {
    let line = |base: f64, each: f64| Line { base: Usage::of("read units", base), each: Usage::of("read units", each) };
    let writes = |units: f64| Usage::of("write units", units);
    Measured {
        full_run: line(10.0, 0.1),
        quiet_run: line(5.0, 0.0),
        checkpoints: Line { base: writes(1.0), each: writes(0.1) },
        rolling: Usage::of("sync seconds", 2.0),
        leave: writes(20.0),
        digest: writes(5.0),
        first_sign_in: writes(40.0) + &Usage::of("series MailsFailed", 1.0),
        sign_in: writes(10.0) + &Usage::of("invocations of sso", 2.0),
        page: Usage::of("API requests", 1.0),
        start_sync: Usage::of("series DomainsWithoutSync", 1.0),
        check_domain: Usage::of("write units", 2.0),
        swept: vec![(2_920.0, Usage::of("read units", 1.0))],
        mail: Usage::of("read units", 1.0),
        bytes: 1_000.0,
        participants: 1.0,
        missed: Vec::new(),
    }
}

fn template() -> Template {
    Template::parse(include_str!("../../../../../template.yaml")).unwrap()
}

fn month(community: Community) -> Month {
    Month::of(community, &template(), &Rules::default(), &measured()).unwrap()
}

#[test]
fn metric_costs_by_its_hours() {
    let Month { usage, .. } = month(UBUNTU);
    // One that has a value each hour, and one of 20 members who join.
    assert!((usage.get("metrics") - (1.0 + 20.0 / HOURS)).abs() < 1e-9, "{}", usage.get("metrics"));
}

#[test]
fn queues_are_polled_without_messages() {
    let Month { usage, .. } = month(UBUNTU);
    let queues: usize = template().functions().unwrap().iter().map(|one| one.queues.len()).sum();
    assert_eq!(usage.get("polls"), f64::from(u32::try_from(queues).unwrap()) * 5.0 * 3.0 * 60.0 * 730.0);
}

#[test]
fn syncs_take_no_more_than_their_slots() {
    let large = month(Community { members: 10_000_000.0, domains: 1_000.0 });
    assert!(large.busy > 1.0 && large.hours_between_runs > 1.0, "{}", large.busy);
    let seconds = large.usage.get("sync seconds");
    assert!((seconds - 730.0 * 3600.0).abs() < 1.0, "{seconds}");
    let small = month(UBUNTU);
    assert!(small.busy < 1.0 && (small.hours_between_runs - 1.0).abs() < 1e-9, "{}", small.busy);
}

#[test]
fn bill_has_every_service_once() {
    let (services, sum) = month(UBUNTU).bill();
    let names: std::collections::BTreeSet<_> = services.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), services.len());
    assert!((services.iter().map(|(_, dollars)| dollars).sum::<f64>() - sum).abs() < 1e-9 && sum > 0.0);
}

#[test]
fn reading_less_often_costs_less() {
    let reads = |full_read_hours| {
        let rules = Rules { full_read_hours, ..Rules::default() };
        Month::of(UBUNTU, &template(), &rules, &measured()).unwrap().usage.get("read units")
    };
    assert!(reads(1) > reads(6) && reads(6) > reads(24));
}
