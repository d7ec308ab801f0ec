//! LocalStack's Docker image. It starts a container per function.

use std::process::Command;

use crate::Options;

/// The image of the release that the host flavour uses.
const IMAGE: &str = "localstack/localstack:4.9.2";

/// A command that runs the image in the foreground, on loopback only.
pub(crate) fn command(options: &Options) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments(options.port));
    command
}

fn arguments(port: u16) -> Vec<String> {
    let mut arguments: Vec<String> = ["run", "--rm", "--network", "host"].map(str::to_owned).into();
    arguments.extend(["--name".to_owned(), format!("membermail-{port}")]);
    // LocalStack starts the functions' containers through the Docker socket.
    arguments.extend(["--volume", "/var/run/docker.sock:/var/run/docker.sock"].map(str::to_owned));
    for variable in [
        format!("GATEWAY_LISTEN=127.0.0.1:{port}"),
        "GATEWAY_SERVER=hypercorn".to_owned(),
        "DISABLE_EVENTS=1".to_owned(),
        "DNS_ADDRESS=0".to_owned(),
        "LAMBDA_DOCKER_NETWORK=host".to_owned(),
    ] {
        arguments.extend(["--env".to_owned(), variable]);
    }
    arguments.push(IMAGE.to_owned());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_is_pinned_and_on_loopback() {
        let arguments = arguments(4571).join(" ");
        assert!(arguments.starts_with("run --rm --network host --name membermail-4571 "), "{arguments}");
        assert!(arguments.contains("GATEWAY_LISTEN=127.0.0.1:4571 --env GATEWAY_SERVER=hypercorn"), "{arguments}");
        assert!(arguments.ends_with(IMAGE), "{arguments}");
    }
}
