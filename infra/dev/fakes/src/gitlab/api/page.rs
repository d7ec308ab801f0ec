//! Offset pages (`lib/gitlab/pagination`).

use super::Parameters;
use crate::gitlab::fault::Api;
use crate::openid::message::encode_query;

/// `lib/api/pagination_params.rb`.
const PER_PAGE: usize = 20;
/// `config/initializers/kaminari_config.rb`: a larger value counts as this one.
const MAX_PER_PAGE: usize = 100;
/// `Kaminari::ActiveRecordRelationMethods::MAX_COUNT_LIMIT`: above it, pages have no totals (oidc.md, 2.3).
const MAX_COUNT: usize = 10_000;

/// The requested page.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageRequest {
    /// The number, from 1.
    pub(super) page: usize,
    /// Maximum entries.
    pub(super) per_page: usize,
}

impl PageRequest {
    /// The error is the name of an invalid parameter. `lib/api/pagination_params.rb`, `verify_pagination_params!`: both must
    /// be positive.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, &'static str> {
        let number = |name: &'static str, default: usize| match parameters.get(name).map(|text| text.parse()) {
            None => Ok(default),
            Some(Ok(number)) if number > 0 => Ok(number),
            Some(_) => Err(name),
        };
        Ok(Self { page: number("page", 1)?, per_page: number("per_page", PER_PAGE)?.min(MAX_PER_PAGE) })
    }

    /// Entries before this page.
    pub(super) fn skipped(self) -> usize {
        (self.page - 1).saturating_mul(self.per_page)
    }
}

/// The position of a page in its list.
pub(super) struct Position {
    pub(super) request: PageRequest,
    pub(super) total: usize,
    /// URL of the list, without parameters.
    pub(super) url: String,
    pub(super) parameters: Parameters,
}

impl Position {
    /// `lib/gitlab/pagination/offset_header_builder.rb`: numbers of pages, links, and totals unless there are too many
    /// entries to count. The fault may alter them.
    pub(super) fn headers(&self, fault: Option<&Api>) -> Vec<(&'static str, String)> {
        let PageRequest { page, per_page } = self.request;
        let last = self.total.div_ceil(per_page).max(1);
        let next = match fault {
            Some(Api::RepeatedLink) => Some(page),
            _ => (page < last).then_some(page + 1),
        };
        let previous = (page > 1).then(|| page - 1);
        let is_counted = self.total <= MAX_COUNT && fault != Some(&Api::NoTotal);
        let links = [("prev", previous), ("next", next), ("first", Some(1)), ("last", is_counted.then_some(last))];
        let links: Vec<_> = links
            .into_iter()
            .filter_map(|(relation, page)| Some(format!("<{}>; rel=\"{relation}\"", self.link(page?, fault))))
            .collect();
        let text = |number: Option<usize>| number.map(|number| number.to_string()).unwrap_or_default();
        let mut headers = vec![
            ("x-per-page", per_page.to_string()),
            ("x-page", page.to_string()),
            ("x-next-page", text(next)),
            ("x-prev-page", text(previous)),
            ("link", links.join(", ")),
        ];
        if is_counted {
            let total = match fault {
                Some(Api::WrongTotal) => self.total + 1,
                Some(Api::ChangingTotal) => self.total + page,
                _ => self.total,
            };
            headers.extend([("x-total", total.to_string()), ("x-total-pages", last.to_string())]);
        }
        headers
    }

    fn link(&self, page: usize, fault: Option<&Api>) -> String {
        let mut parameters = self.parameters.clone();
        parameters.insert("page".to_owned(), page.to_string());
        parameters.insert("per_page".to_owned(), self.request.per_page.to_string());
        let query = encode_query(parameters.iter().map(|(name, value)| (&**name, &**value)));
        match (fault, self.url.split_once("://").and_then(|(_, rest)| rest.split_once('/'))) {
            (Some(Api::ForeignLink), Some((_, path))) => format!("http://elsewhere.example/{path}?{query}"),
            _ => format!("{}?{query}", self.url),
        }
    }
}
