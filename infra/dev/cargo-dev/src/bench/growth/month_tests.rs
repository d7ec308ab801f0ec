use super::super::usage::Line;
use super::*;

const UBUNTU: Community = Community { members: 2_000.0, domains: 6.0 };

fn reads(units: f64) -> Usage {
    Usage::of("read units", units)
}

fn writes(units: f64) -> Usage {
    Usage::of("write units", units)
}

/// Example figures in round numbers.
fn measured() -> Measured {
    Measured {
        full_run: Line { base: reads(10.0), each: reads(0.1) },
        quiet_run: Line { base: reads(5.0), each: reads(0.0) },
        checkpoints: Line { base: writes(1.0), each: writes(0.1) },
        rolling: Usage::of("sync seconds", 2.0),
        leave: writes(20.0),
        digest: writes(5.0),
        first_sign_in: writes(40.0) + &Usage::of("series MailsFailed", 1.0),
        sign_in: writes(10.0) + &Usage::of("invocations of sso", 2.0),
        page: Usage::of("API requests", 1.0),
        start_sync: Usage::of("series Hourly", 1.0),
        check_domain: writes(2.0),
        status: Usage::of("API requests", 17_520.0),
        swept: vec![(2_920.0, reads(1.0))],
        mail: reads(1.0),
        bytes: 1_000.0,
        participants: 1.0,
        missed: Vec::new(),
    }
}

fn template() -> Template {
    Template::read().unwrap()
}

fn month(community: Community) -> Month {
    Month::of(community, &template(), &Rules::default(), &measured()).unwrap()
}

#[test]
fn metric_costs_by_its_hours() {
    let Month { usage, .. } = month(UBUNTU);
    // One metric with a value every hour, and one for each of the 20 joining members.
    assert!((usage.get("metrics") - (1.0 + 20.0 / HOURS)).abs() < 1e-9, "{}", usage.get("metrics"));
}

#[test]
fn idle_queues_are_polled() {
    let Month { usage, .. } = month(UBUNTU);
    // Those of grants and failed deliveries are off by default.
    assert_eq!(usage.get("polls"), 4.0 * 5.0 * 3.0 * 60.0 * 730.0);
    let template = template().with("SmallQuota", "false").unwrap();
    let Month { usage, .. } = Month::of(UBUNTU, &template, &Rules::default(), &measured()).unwrap();
    assert_eq!(usage.get("polls"), 6.0 * 5.0 * 3.0 * 60.0 * 730.0);
}

#[test]
fn syncs_are_limited_by_slots() {
    let large = month(Community { members: 10_000_000.0, domains: 1_000.0 });
    assert!(large.busy > 1.0 && large.hours_between_runs > 1.0, "{}", large.busy);
    let seconds = large.usage.get("sync seconds");
    assert!((seconds - 730.0 * 3600.0).abs() < 1.0, "{seconds}");
    let small = month(UBUNTU);
    assert!(small.busy < 1.0 && (small.hours_between_runs - 1.0).abs() < 1e-9, "{}", small.busy);
}

#[test]
fn status_page_costs_do_not_grow() {
    let [small, large] = [UBUNTU, Community { members: 4_000.0, domains: 6.0 }].map(|size| month(size).usage);
    let of_members = |usage: &Usage| usage.get("API requests") - 17_520.0 - ADMIN_VIEWS * 6.0;
    assert!(of_members(&small) > 0.0 && (of_members(&large) - 2.0 * of_members(&small)).abs() < 1e-6);
}

#[test]
fn bill_lists_each_service_once() {
    let (services, sum) = month(UBUNTU).bill();
    let names: std::collections::BTreeSet<_> = services.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), services.len());
    assert!((services.iter().map(|(_, dollars)| dollars).sum::<f64>() - sum).abs() < 1e-9 && sum > 0.0);
}

#[test]
fn rarer_full_reads_cost_less() {
    let reads = [1, 6, 24].map(|full_read_hours| {
        let rules = Rules { full_read_hours, ..Rules::default() };
        Month::of(UBUNTU, &template(), &rules, &measured()).unwrap().usage.get("read units")
    });
    assert!(reads[0] > reads[1] && reads[1] > reads[2]);
}
