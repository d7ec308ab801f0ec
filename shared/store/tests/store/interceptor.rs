//! Stores in DynamoDB whose requests a test watches or replaces.

use std::fmt;
use std::sync::Mutex;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::interceptors::{
    BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use membermail_store::Store;

use crate::support::World;

/// The header with the operation of a request.
pub(crate) const TARGET: &str = "x-amz-target";

/// Status and body of a response.
pub(crate) type Response = (u16, &'static str);

pub(crate) fn is_transaction(request: &HttpRequest) -> bool {
    request.headers().get(TARGET).is_some_and(|target| target.ends_with(".TransactWriteItems"))
}

impl World {
    /// A store with a client of its own that calls `intercept` before each request. A response that it returns replaces
    /// that of DynamoDB.
    pub(crate) fn intercepted(
        &self,
        intercept: impl Fn(&mut HttpRequest) -> Option<Response> + Send + Sync + 'static,
    ) -> Store {
        let interceptor = Interceptor { intercept, response: Mutex::default() };
        let config = self.client().config().to_builder().interceptor(interceptor).build();
        Store::new(Client::from_conf(config), self.store.name())
    }
}

struct Interceptor<F> {
    intercept: F,
    /// The response of the request in flight.
    response: Mutex<Option<Response>>,
}

impl<F> fmt::Debug for Interceptor<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interceptor")
    }
}

impl<F: Fn(&mut HttpRequest) -> Option<Response> + Send + Sync> Intercept for Interceptor<F> {
    fn name(&self) -> &'static str {
        "Interceptor"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = (self.intercept)(context.request_mut());
        *self.response.lock().unwrap() = response;
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some((status, body)) = self.response.lock().unwrap().take() {
            *context.response_mut() = HttpResponse::new(status.try_into()?, body.into());
        }
        Ok(())
    }
}
