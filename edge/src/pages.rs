//! The app's page for every address of the app. Files that exist are served before the Worker is asked; what is left are the
//! addresses that the app itself understands, and what does not exist.

use edge_core::routes::Method::{Get, Head};
use worker::{Env, Request, Response, Result};

use crate::http;

/// What is never a page of the app. A missing file of a build must not be answered with a page: it would be kept under the
/// file's name.
const NO_PAGES: [&str; 5] = ["api", "node", ".well-known", "assets", "dev"];

/// The page, if somebody navigates to an address of the app and the page is served from here.
pub async fn page(request: &Request, env: &Env) -> Result<Option<Response>> {
    let path = request.path();
    let first = path.trim_start_matches('/').split('/').next();
    let is_page = !first.is_some_and(|first| NO_PAGES.contains(&first));
    if !is_page || !navigates(request)? {
        return Ok(None);
    }
    // Absent where a proxy serves the files.
    let Ok(assets) = env.assets("ASSETS") else {
        return Ok(None);
    };
    let mut url = request.url()?;
    url.set_path("/");
    url.set_query(None);
    assets.fetch(url, None).await.map(Some)
}

/// Whether the answer will be shown as a page. Older browsers and simple clients do not say it: then it is what they accept.
fn navigates(request: &Request) -> Result<bool> {
    let headers = request.headers();
    let says = match headers.get("sec-fetch-mode")? {
        Some(mode) => mode == "navigate",
        None => headers
            .get("accept")?
            .is_some_and(|types| types.contains("text/html")),
    };
    Ok(says && matches!(http::method(request), Get | Head))
}
