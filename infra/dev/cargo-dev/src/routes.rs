//! Request routing by the paths and methods of the deployed REST API.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use axum::http::Method;
use matchit::Router;

/// Functions by path and method.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    paths: Router<BTreeMap<String, String>>,
}

impl Routes {
    /// Builds the routes from `(path, method, function)` in API Gateway's syntax: `{name}` matches one segment, `{name+}`
    /// the rest of the path, `ANY` every method.
    pub(crate) fn new(routes: impl IntoIterator<Item = (String, String, String)>) -> Result<Self> {
        let mut by_path: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (path, method, function) in routes {
            by_path.entry(path).or_default().insert(method, function);
        }
        let mut paths = Router::new();
        for (path, methods) in by_path {
            paths.insert(matchit_path(&path), methods).with_context(|| format!("invalid path {path}"))?;
        }
        Ok(Self { paths })
    }

    /// The function of a request.
    pub(crate) fn function(&self, method: &Method, path: &str) -> Option<&str> {
        let methods = self.paths.at(path).ok()?.value;
        methods.get(method.as_str()).or_else(|| methods.get("ANY")).map(String::as_str)
    }
}

/// A path of API Gateway in the syntax of matchit, which cargo-lambda uses too: `{name+}` becomes `{*name}`.
fn matchit_path(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment.strip_suffix("+}") {
        Some(name) => format!("{{*{}}}", name.trim_start_matches('{')),
        None => segment.to_owned(),
    });
    segments.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use membermail_toolbox::workspace;

    use super::*;
    use crate::builds::NAMES;
    use crate::functions::package_of_logical_id;

    fn read(file: &str) -> String {
        std::fs::read_to_string(workspace().join(file)).unwrap()
    }

    /// The settings of cargo-lambda in the workspace's `Cargo.toml`.
    fn cargo_lambda() -> toml::Table {
        let mut manifest: toml::Table = read("Cargo.toml").parse().unwrap();
        for key in ["workspace", "metadata", "lambda"] {
            let Some(toml::Value::Table(inner)) = manifest.remove(key) else { panic!("no {key}") };
            manifest = inner;
        }
        manifest
    }

    /// Paths and packages of the API events in the template.
    fn template_routes() -> BTreeMap<String, String> {
        let template = read("template.yaml");
        let mut resource = "";
        let mut routes = BTreeMap::new();
        for line in template.lines() {
            let is_key = line.starts_with("  ") && !line.starts_with("   ") && line.ends_with(':');
            if is_key {
                resource = line.trim().trim_end_matches(':');
            }
            if let Some((_, event)) = line.split_once("Type: Api, Properties: {") {
                let property = |name: &str| {
                    let (_, rest) = event.split_once(&format!("{name}: ")).unwrap();
                    rest.split([',', ' ']).next().unwrap().trim_matches('"')
                };
                assert_eq!(property("Method"), "ANY", "a route of one method needs a table in Cargo.toml: {line}");
                routes.insert(matchit_path(property("Path")), package_of_logical_id(resource));
            }
        }
        routes
    }

    #[test]
    fn cargo_lambda_routes_match_the_template() {
        let cargo_lambda = cargo_lambda();
        let routes = cargo_lambda["watch"]["router"].as_table().unwrap().iter();
        let routes: BTreeMap<_, _> =
            routes.map(|(path, function)| (path.clone(), function.as_str().unwrap().to_owned())).collect();
        assert_eq!(routes, template_routes());
        assert!(routes.len() > 5);
    }

    #[test]
    fn cargo_lambda_builds_all_functions_as_zips() {
        let build = cargo_lambda()["build"].as_table().unwrap().clone();
        let packages = build["packages"].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        assert_eq!(packages.collect::<Vec<_>>(), NAMES);
        assert_eq!(build["output_format"].as_str(), Some("zip"));
        // It would take precedence over `--x86-64`.
        assert!(!build.contains_key("arm64"));
    }

    #[test]
    fn requests_are_routed_like_api_gateway() {
        let routes = [
            ("/", "GET", "account"),
            ("/assets/{file}", "GET", "account"),
            ("/callback", "GET", "sso"),
            ("/callback", "POST", "sso"),
            ("/docs/{rest+}", "ANY", "docs"),
        ];
        let routes = routes.map(|(path, method, name)| (path.to_owned(), method.to_owned(), name.to_owned()));
        let routes = Routes::new(routes).unwrap();
        for (method, path, function) in [
            (Method::GET, "/", Some("account")),
            (Method::GET, "/assets/style.css", Some("account")),
            (Method::GET, "/assets/one/two", None),
            (Method::POST, "/callback", Some("sso")),
            (Method::PUT, "/callback", None),
            (Method::DELETE, "/docs/one/two", Some("docs")),
            (Method::GET, "/nowhere", None),
        ] {
            assert_eq!(routes.function(&method, path), function, "{method} {path}");
        }
    }
}
