//! Renders conditions and updates as DynamoDB expressions, with a placeholder for every name and value.
//!
//! All names have placeholders, so that no attribute collides with a reserved word.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::condition::{Condition, Node, Operand, Path};
use super::read::{Partition, Query, SortKeys};
use super::update::{Action, Update};

/// The placeholders of the expressions of one request.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl Expressions {
    pub(super) fn condition(&mut self, condition: &Condition) -> String {
        match &condition.0 {
            Node::Exists(path) => format!("attribute_exists({})", self.path(*path)),
            Node::NotExists(path) => format!("attribute_not_exists({})", self.path(*path)),
            Node::Compare(path, comparison, operand) => {
                let operand = match operand {
                    Operand::Value(value) => self.value(path.0, value),
                    Operand::Path(path) => self.path(*path),
                };
                format!("{} {} {operand}", self.path(*path), comparison.as_ref())
            }
            Node::In(path, values) => {
                let values: Vec<_> = values.iter().map(|value| self.value(path.0, value)).collect();
                format!("{} IN ({})", self.path(*path), values.join(", "))
            }
            Node::BeginsWith(path, prefix) => {
                let prefix = self.value(path.0, &AttributeValue::S(prefix.clone()));
                format!("begins_with({}, {prefix})", self.path(*path))
            }
            Node::All(all) => self.join(all, " AND "),
            Node::Any(any) => self.join(any, " OR "),
        }
    }

    /// The update expression; none where nothing is changed.
    pub(super) fn update(&mut self, update: &Update) -> Option<String> {
        let mut sets = Vec::new();
        let mut adds = Vec::new();
        let mut removes = Vec::new();
        for (name, action) in &update.0 {
            let path = self.path(Path(name));
            match action {
                Action::Set(value) => sets.push(format!("{path} = {}", self.value(name, value))),
                Action::SetIfNotExists(value) => {
                    sets.push(format!("{path} = if_not_exists({path}, {})", self.value(name, value)));
                }
                Action::Increment(value) => sets.push(format!("{path} = {path} + {}", self.value(name, value))),
                Action::Add(value) => adds.push(format!("{path} {}", self.value(name, value))),
                Action::Remove => removes.push(path),
            }
        }
        let clauses = [("SET", sets), ("REMOVE", removes), ("ADD", adds)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        let clauses: Vec<_> = clauses.map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect();
        (!clauses.is_empty()).then(|| clauses.join(" "))
    }

    /// The key condition of a query. Its values have fixed placeholders, which test doubles and benchmarks read.
    pub(super) fn key_condition(&mut self, query: &Query) -> String {
        let (pk, sk) = match &query.partition {
            Partition::Table(pk) => (format!("pk = {}", self.fixed(":pk", pk)), "sk"),
            Partition::ByMember(member) => {
                let name = self.path(Path("member"));
                (format!("{name} = {}", self.fixed(":member", member)), "address")
            }
        };
        match &query.sort_keys {
            SortKeys::All => pk,
            SortKeys::BeginsWith(prefix) => format!("{pk} AND begins_with({sk}, {})", self.fixed(":sk", prefix)),
            SortKeys::Before(end) => format!("{pk} AND {sk} < {}", self.fixed(":end", end)),
            SortKeys::Between(first, last) => {
                format!("{pk} AND {sk} BETWEEN {} AND {}", self.fixed(":first", first), self.fixed(":last", last))
            }
        }
    }

    fn fixed(&mut self, placeholder: &'static str, value: &str) -> &'static str {
        self.values.insert(placeholder.to_owned(), AttributeValue::S(value.to_owned()));
        placeholder
    }

    pub(super) fn projection(&mut self, attributes: &[&'static str]) -> String {
        let names: Vec<_> = attributes.iter().map(|name| self.path(Path(name))).collect();
        names.join(", ")
    }

    /// DynamoDB refuses empty maps of placeholders.
    pub(super) fn names(&self) -> Option<HashMap<String, String>> {
        (!self.names.is_empty()).then(|| self.names.clone())
    }

    pub(super) fn values(&self) -> Option<HashMap<String, AttributeValue>> {
        (!self.values.is_empty()).then(|| self.values.clone())
    }

    fn join(&mut self, parts: &[Condition], word: &str) -> String {
        let parts = parts.iter().map(|part| match &part.0 {
            Node::All(_) | Node::Any(_) => format!("({})", self.condition(part)),
            _ => self.condition(part),
        });
        parts.collect::<Vec<_>>().join(word)
    }

    fn path(&mut self, Path(path): Path) -> String {
        let names: Vec<_> = path.split('.').map(|name| self.name(name)).collect();
        names.join(".")
    }

    fn name(&mut self, name: &str) -> String {
        let placeholder = format!("#{name}");
        self.names.insert(placeholder.clone(), name.to_owned());
        placeholder
    }

    /// `:version`, and `:version_2` for another value that belongs to the same attribute.
    fn value(&mut self, path: &str, value: &AttributeValue) -> String {
        let name = path.rsplit('.').next().unwrap_or(path);
        let mut placeholder = format!(":{name}");
        let mut count = 1;
        while self.values.get(&placeholder).is_some_and(|known| known != value) {
            count += 1;
            placeholder = format!(":{name}_{count}");
        }
        self.values.insert(placeholder.clone(), value.clone());
        placeholder
    }
}

#[cfg(test)]
mod tests {
    use super::super::condition::path;
    use super::*;

    #[test]
    fn condition_renders_with_placeholders() {
        let mut expressions = Expressions::default();
        let condition = path("pk").exists().and(path("status").eq("active").or(path("status").eq("leaving")));
        let condition = condition.and(path("observation.observed_at").le(7_i64));
        assert_eq!(
            expressions.condition(&condition),
            "attribute_exists(#pk) AND (#status = :status OR #status = :status_2) \
             AND #observation.#observed_at <= :observed_at"
        );
        assert_eq!(expressions.values().unwrap()[":status_2"], AttributeValue::S("leaving".into()));
        assert_eq!(expressions.names().unwrap()["#observed_at"], "observed_at");
    }

    #[test]
    fn update_renders_grouped_clauses() {
        let mut expressions = Expressions::default();
        let update = Update::new().remove("sign_in").set("state", "done").count("grants").increment("session_epoch");
        let update = update.set_if_not_exists("since", "now");
        assert_eq!(
            expressions.update(&update).unwrap(),
            "SET #state = :state, #session_epoch = #session_epoch + :session_epoch, \
             #since = if_not_exists(#since, :since) REMOVE #sign_in ADD #grants :grants"
        );
        assert_eq!(Expressions::default().update(&Update::new()), None);
    }

    #[test]
    fn empty_placeholders_render_as_none() {
        let expressions = Expressions::default();
        assert!(expressions.names().is_none() && expressions.values().is_none());
    }
}
