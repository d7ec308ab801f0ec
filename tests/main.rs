//! End-to-end tests against the deployed local stack, one module per story. They are one binary, since linking one for
//! each story took most of their build.

mod admin;
mod chromium;
mod domain_checks;
mod gitlab;
mod health;
mod identity;
mod launchpadlib;
mod loopback;
mod mail_path;
mod notices;
mod observation;
mod openid_client;
mod openid_connect;
mod permissions;
mod places;
mod provider_outage;
mod python_openid;
mod relay;
mod releases;
mod relying_parties;
mod self_service;
mod sessions;
mod sign_in;
mod site_domain;
mod status;
mod team_sync;
mod template;
