//! The switches, for tests and for whoever wants to see what happens.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::people::Change;
use crate::state::{Counts, Fault, Shared};

/// `PUT /control/faults/NAME`.
pub async fn set_fault(State(shared): State<Shared>, Path(key): Path<String>, Json(fault): Json<Fault>) -> StatusCode {
    let mut state = shared.lock();
    if !state.people.persons.contains_key(&key) {
        return StatusCode::NOT_FOUND;
    }
    state.faults.insert(key, fault);
    StatusCode::NO_CONTENT
}

/// `DELETE /control/faults/NAME`.
pub async fn clear_fault(State(shared): State<Shared>, Path(key): Path<String>) -> StatusCode {
    shared.lock().faults.remove(&key);
    StatusCode::NO_CONTENT
}

/// `PATCH /control/people/NAME`.
pub async fn change(State(shared): State<Shared>, Path(key): Path<String>, Json(change): Json<Change>) -> StatusCode {
    if shared.lock().people.change(&key, change) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}

/// `GET /control/counts`.
pub async fn counts(State(shared): State<Shared>) -> Json<Counts> {
    Json(shared.lock().counts)
}
