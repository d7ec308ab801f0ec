//! Checks that a packaged function is a release build for the architecture of the deployment.

use std::fmt::{self, Display};
use std::str::FromStr;

use membermail_runtime::build_profile;
use memchr::memmem;
use object::LittleEndian;
use object::elf::{EM_AARCH64, EM_X86_64, FileHeader64, Machine};
use object::read::elf::FileHeader;
use thiserror::Error;

/// The architectures of Lambda, as the template's parameter `Architecture` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Architecture {
    Arm64,
    X86_64,
}

impl Architecture {
    /// The value of the template's parameter.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    fn machine(self) -> Machine {
        match self {
            Self::Arm64 => EM_AARCH64,
            Self::X86_64 => EM_X86_64,
        }
    }

    /// The command that builds the functions for it.
    pub(crate) fn build_command(self) -> &'static str {
        match self {
            Self::Arm64 => "cargo lambda build --release --arm64",
            Self::X86_64 => "cargo lambda build --release --x86-64",
        }
    }
}

impl Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Architecture {
    type Err = BinaryError;

    fn from_str(name: &str) -> Result<Self, BinaryError> {
        let all = [Self::Arm64, Self::X86_64];
        let found = all.into_iter().find(|architecture| architecture.name() == name);
        found.ok_or_else(|| BinaryError::UnknownArchitecture(name.to_owned()))
    }
}

/// Why a program must not be deployed.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum BinaryError {
    #[error("Architecture is {0:?}, but Lambda has arm64 and x86_64")]
    UnknownArchitecture(String),
    #[error("it is not an ELF program for 64-bit Linux")]
    NotElf,
    #[error("it is built for {found}, but the deployment's Architecture is {wanted}")]
    OtherArchitecture { found: String, wanted: Architecture },
    #[error("it is a debug build")]
    Debug,
    #[error("it is no function of this version of Membermail")]
    Unmarked,
}

/// Checks the content of `bootstrap`.
pub(crate) fn check(program: &[u8], wanted: Architecture) -> Result<(), BinaryError> {
    let header = FileHeader64::<LittleEndian>::parse(program).map_err(|_| BinaryError::NotElf)?;
    let machine = header.e_machine(LittleEndian);
    if machine != wanted.machine() {
        let all = [Architecture::Arm64, Architecture::X86_64];
        let known = all.iter().find(|architecture| architecture.machine() == machine);
        let found = known.map_or_else(|| format!("ELF machine {}", machine.0), ToString::to_string);
        return Err(BinaryError::OtherArchitecture { found, wanted });
    }
    if contains(program, build_profile::DEBUG) {
        return Err(BinaryError::Debug);
    }
    if contains(program, build_profile::RELEASE) { Ok(()) } else { Err(BinaryError::Unmarked) }
}

fn contains(program: &[u8], marker: &str) -> bool {
    memmem::find(program, marker.as_bytes()).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with this ELF machine and content.
    fn program(machine: u16, content: &str) -> Vec<u8> {
        let mut program = vec![0; 64];
        program[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        program[18..20].copy_from_slice(&machine.to_le_bytes());
        program[20] = 1;
        program.extend_from_slice(content.as_bytes());
        program
    }

    #[rstest::rstest]
    #[case::release(program(183, build_profile::RELEASE), "")]
    #[case::debug(program(183, build_profile::DEBUG), "it is a debug build")]
    #[case::x86(
        program(62, build_profile::RELEASE),
        "it is built for x86_64, but the deployment's Architecture is arm64"
    )]
    #[case::riscv(
        program(243, build_profile::RELEASE),
        "it is built for ELF machine 243, but the deployment's Architecture is arm64"
    )]
    #[case::foreign(program(183, "another program"), "it is no function of this version of Membermail")]
    #[case::script(b"#!/bin/sh\nexec node index.js\n".to_vec(), "it is not an ELF program for 64-bit Linux")]
    #[case::cut_header(program(183, "")[..30].to_vec(), "it is not an ELF program for 64-bit Linux")]
    #[case::empty(Vec::new(), "it is not an ELF program for 64-bit Linux")]
    fn only_arm64_release_passes(#[case] program: Vec<u8>, #[case] expected: &str) {
        let error = check(&program, Architecture::Arm64).err().map(|error| error.to_string());
        assert_eq!(error.unwrap_or_default(), expected);
    }

    #[test]
    fn x86_64_release_passes_for_x86_64() {
        check(&program(62, build_profile::RELEASE), Architecture::X86_64).unwrap();
    }

    #[test]
    fn architectures_have_template_names() {
        assert_eq!("arm64".parse(), Ok(Architecture::Arm64));
        assert_eq!("x86_64".parse(), Ok(Architecture::X86_64));
        let error = "aarch64".parse::<Architecture>().unwrap_err().to_string();
        assert_eq!(error, "Architecture is \"aarch64\", but Lambda has arm64 and x86_64");
    }
}
