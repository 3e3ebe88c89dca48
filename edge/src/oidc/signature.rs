//! Signatures of providers, checked by the platform's Web Cryptography: RSA in WASM would be larger, and slower.

use edge_core::oidc::{Algorithm, Claims};
use serde_json::{Value, json};
use worker::js_sys::{Array, JSON, Promise, Uint8Array};
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsValue};
use worker::wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = importKey, catch)]
    fn import_key(
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = ["crypto", "subtle"], js_name = verify, catch)]
    fn verify_signature(
        algorithm: &JsValue,
        key: &JsValue,
        signature: &Uint8Array,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

/// Whether this is the signature of the data by the key. A key or a signature that is none verifies nothing.
pub async fn verify(algorithm: Algorithm, key: &Claims, data: &[u8], signature: &[u8]) -> bool {
    let verified = try_verify(algorithm, key, data, signature).await;
    verified.is_ok_and(|verified| verified.is_truthy())
}

async fn try_verify(
    algorithm: Algorithm,
    key: &Claims,
    data: &[u8],
    signature: &[u8],
) -> Result<JsValue, JsValue> {
    let algorithm = object(&match algorithm {
        Algorithm::RS256 => json!({ "name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256" }),
        // The salt is as long as the hash (RFC 7518, 3.5).
        Algorithm::PS256 => json!({ "name": "RSA-PSS", "hash": "SHA-256", "saltLength": 32 }),
        Algorithm::ES256 => json!({ "name": "ECDSA", "namedCurve": "P-256", "hash": "SHA-256" }),
    })?;
    let usages = Array::of1(&"verify".into());
    let key = import_key("jwk", &object(&json!(key))?, &algorithm, false, &usages)?;
    let key = JsFuture::from(key).await?;
    let (signature, data) = (Uint8Array::from(signature), Uint8Array::from(data));
    JsFuture::from(verify_signature(&algorithm, &key, &signature, &data)?).await
}

fn object(value: &Value) -> Result<JsValue, JsValue> {
    JSON::parse(&value.to_string())
}
