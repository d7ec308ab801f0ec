//! YAML as JSON. CloudFormation's short tags become the functions that they abbreviate: `!Sub x` is `{"Fn::Sub": "x"}`.

use anyhow::{Context, Result, bail, ensure};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Reads a file of one YAML document.
pub fn parse(text: &str) -> Result<Value> {
    let documents = Yaml::load_from_str(text)?;
    let [document] = documents.as_slice() else { bail!("{} YAML documents instead of one", documents.len()) };
    convert(document)
}

fn convert(node: &Yaml<'_>) -> Result<Value> {
    Ok(match node {
        Yaml::Value(scalar) => match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(value) => (*value).into(),
            Scalar::Integer(value) => (*value).into(),
            Scalar::FloatingPoint(value) => value.into_inner().into(),
            Scalar::String(value) => value.as_ref().into(),
        },
        Yaml::Sequence(nodes) => nodes.iter().map(convert).collect::<Result<Vec<_>>>()?.into(),
        Yaml::Mapping(fields) => {
            let mut object = Map::new();
            for (key, value) in fields {
                let key = match convert(key)? {
                    Value::String(key) => key,
                    // YAML 1.2 has no such keys in our files but numbers, which JSON writes as strings.
                    other => other.to_string(),
                };
                ensure!(object.insert(key.clone(), convert(value)?).is_none(), "the key {key} occurs twice");
            }
            object.into()
        }
        Yaml::Tagged(tag, node) => function(&tag.suffix, convert(node)?)?,
        Yaml::Representation(text, _, Some(tag)) => function(&tag.suffix, text.as_ref().into())?,
        Yaml::Representation(text, _, None) => text.as_ref().into(),
        Yaml::Alias(_) | Yaml::BadValue => bail!("unsupported YAML: {node:?}"),
    })
}

/// The function that a tag abbreviates.
fn function(tag: &str, argument: Value) -> Result<Value> {
    let argument = match (tag, argument) {
        // `!GetAtt Resource.Attribute`
        ("GetAtt", Value::String(path)) => {
            let (resource, attribute) = path.split_once('.').with_context(|| format!("!GetAtt {path}"))?;
            json!([resource, attribute])
        }
        (_, argument) => argument,
    };
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        _ => format!("Fn::{tag}"),
    };
    Ok(Value::Object(Map::from_iter([(name, argument)])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_functions() {
        let text = "A: !Ref B\nC: !Sub \"x-${B}\"\nD: !If [E, !GetAtt F.Arn, !Ref AWS::NoValue]\nG: { H: 1, I: \"1\", J: true }\n";
        let expected = json!({
            "A": { "Ref": "B" },
            "C": { "Fn::Sub": "x-${B}" },
            "D": { "Fn::If": ["E", { "Fn::GetAtt": ["F", "Arn"] }, { "Ref": "AWS::NoValue" }] },
            "G": { "H": 1, "I": "1", "J": true },
        });
        assert_eq!(parse(text).unwrap(), expected);
    }

    #[rstest::rstest]
    #[case::unclosed("a: [1")]
    #[case::two_documents("a: 1\n---\nb: 1\n")]
    #[case::no_attribute("a: !GetAtt B")]
    fn invalid_yaml_is_rejected(#[case] text: &str) {
        assert!(parse(text).is_err());
    }
}
