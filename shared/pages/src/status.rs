//! The public status page. It shows no personal data and is the same for all visitors of a language.

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use membermail_core::status::{Component, DAYS, Day, History, Level, State, Uptime};
use membermail_texts::FluentValue;
use serde::Serialize;

use crate::layout::Site;
use crate::wording::Wording;

/// The page.
#[derive(Template)]
#[template(path = "status.html")]
pub struct StatusPage<'a> {
    /// The layout.
    pub site: Site<'a>,
    /// The content.
    pub view: StatusView,
}

/// The content of the page.
pub struct StatusView {
    mood: &'static str,
    overall: String,
    about: String,
    ago: String,
    parts: Vec<Part>,
}

/// A component in words. The strip of days is decoration: the text below it says the same.
struct Part {
    id: String,
    name: String,
    text: String,
    mood: &'static str,
    state: String,
    levels: Vec<Level>,
    uptime: String,
    checked: Option<String>,
    troubled: Vec<String>,
    troubled_heading: String,
}

impl StatusView {
    /// Describes the components at this time.
    pub fn new(histories: &[History], now: Timestamp, wording: Wording<'_>) -> Self {
        let overall = State::overall(histories.iter().map(|history| history.state(now)));
        Self {
            mood: mood(overall),
            overall: wording.part("status", overall.as_ref()),
            about: wording.part_with("status", "about", &[days()]),
            ago: wording.part_with("status", "ago", &[days()]),
            parts: histories.iter().map(|history| Part::new(history, now, wording)).collect(),
        }
    }
}

impl Part {
    fn new(history: &History, now: Timestamp, wording: Wording<'_>) -> Self {
        let component: Component = history.component();
        let id = format!("status-{component}");
        let state = history.state(now);
        let uptime = match history.uptime() {
            Some(uptime) => {
                let percent = percent(uptime, &wording.text("status-decimal"));
                wording.part_with("status", "uptime", &[("percent", percent.into()), days()])
            }
            None => wording.part_with("status", "no-checks", &[days()]),
        };
        let checked = history.sampled_at().map(|at| {
            let time = wording.moment(at);
            wording.part_with("status", "checked", &[("time", time.into())])
        });
        // The newest first, as people look for it.
        let troubled = history.days().iter().rev().filter(|day| day.failed > 0);
        let troubled: Vec<_> = troubled.map(|day| describe(day, wording)).collect();
        let count = troubled.len().to_string();
        Self {
            name: wording.part(&id, "name"),
            text: wording.part(&id, "text"),
            mood: mood(state),
            state: wording.part("status-states", state.as_ref()),
            levels: history.days().iter().map(Day::level).collect(),
            uptime,
            checked,
            troubled_heading: wording.part_with("status", "troubled", &[("count", count.into())]),
            troubled,
            id,
        }
    }
}

/// The class that colors a state.
fn mood(state: State) -> &'static str {
    match state {
        State::Operational => "good",
        State::Failing => "bad",
        State::Unknown => "wait",
    }
}

/// As a text, so that Fluent does not format it.
fn days() -> (&'static str, FluentValue<'static>) {
    ("days", DAYS.to_string().into())
}

/// `99.95`, or `100`. One variable of a text: in right-to-left text, the marks around two would change their order.
fn percent(uptime: Uptime, decimal: &str) -> String {
    match (uptime.percent(), uptime.hundredths()) {
        (100, _) => "100".to_owned(),
        (percent, hundredths) => format!("{percent}{decimal}{hundredths:02}"),
    }
}

fn describe(day: &Day, wording: Wording<'_>) -> String {
    let date = wording.date(noon(day.date));
    let [failed, samples] = [day.failed, day.samples()].map(|count| count.to_string());
    wording.part_with("status", "day", &[("date", date.into()), ("failed", failed.into()), ("samples", samples.into())])
}

/// A time of the day in UTC.
fn noon(date: Date) -> Timestamp {
    Offset::UTC.to_timestamp(date.at(12, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}

/// The same data for programs.
#[derive(Serialize)]
pub struct StatusReport<'a> {
    state: State,
    components: Vec<ComponentReport<'a>>,
}

#[derive(Serialize)]
struct ComponentReport<'a> {
    component: Component,
    state: State,
    sampled_at: Option<Timestamp>,
    /// In percent.
    uptime: Option<String>,
    days: &'a [Day],
}

impl<'a> StatusReport<'a> {
    /// The states at this time.
    pub fn new(histories: &'a [History], now: Timestamp) -> Self {
        let components = histories.iter().map(|history| ComponentReport {
            component: history.component(),
            state: history.state(now),
            sampled_at: history.sampled_at(),
            uptime: history.uptime().map(|uptime| uptime.to_string()),
            days: history.days(),
        });
        let state = State::overall(histories.iter().map(|history| history.state(now)));
        Self { state, components: components.collect() }
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
