//! Mails of an account: asked for, sent, tried again, and what their links do.

use edge_core::mail::{Kind, MAILS, Mail};
use edge_core::session::Bearer;
use edge_core::table::Key;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use worker::{Result, console_error};

use super::{ACCOUNT, Account, FAILURES, UserObject};
use crate::problem::{Outcome, Refusal};
use crate::{config, crypto, mail, password, rate};

/// The rates of mails, each kind by itself.
const OF_MAILS: &str = "mails";

/// A new password by a link.
#[derive(Serialize, Deserialize)]
pub struct Reset {
    /// The signature in the link.
    pub signature: String,
    /// Prepared ([`edge_core::password`]).
    pub password: String,
}

impl UserObject {
    /// Has a mail sent, soon after this turn. It takes the place of the one of its kind, whose link is no good any more.
    pub(super) async fn write_mail(&self, kind: Kind, now: u64) -> Outcome<()> {
        if !mail::is_sent(&self.env) {
            return Ok(());
        }
        let nonce = crypto::hex(&crypto::random::<16>()?);
        self.store.put(&MAILS, &Mail::new(kind, nonce, now))?;
        Ok(self.wake_when_due(now).await?)
    }

    pub(super) async fn asks_to_verify(&self, bearer: &Bearer, now: u64) -> Outcome<Value> {
        let account = self.of_bearer(bearer)?;
        if account.verified_at.is_none() {
            self.may_mail(Kind::Verify, now)?;
            self.write_mail(Kind::Verify, now).await?;
        }
        Ok(Value::Null)
    }

    /// Whether there is an account, and whether too much was asked, is nothing that the answer tells.
    pub(super) async fn asks_to_reset(&self, now: u64) -> Outcome<Value> {
        if self.account()?.is_some() && self.may_mail(Kind::Reset, now).is_ok() {
            self.write_mail(Kind::Reset, now).await?;
        }
        Ok(Value::Null)
    }

    /// No link of this kind that was sent is good any more.
    pub(super) fn forget_mail(&self, kind: Kind) -> worker::Result<()> {
        self.store.delete(key(kind))
    }

    fn may_mail(&self, kind: Kind, now: u64) -> Outcome<()> {
        let limit = config::limit(&self.env, "CONNECT_LIMIT_MAIL")?;
        rate::take_of(&self.store, OF_MAILS, kind.name(), &limit, now)
    }

    /// The account, if the link is good for it. It is good once: whoever uses it has it deleted.
    fn by_link(&self, kind: Kind, signature: &str, now: u64) -> Outcome<Account> {
        let mail: Option<Mail> = self.store.get_readable(key(kind))?;
        let (mail, account) = mail.zip(self.account()?).ok_or_else(Refusal::bad_link)?;
        let signature = crypto::decode::<32>(signature).unwrap_or_default();
        let claim = mail.claim(&account.user.id);
        if !config::verify_signature(&self.env, &claim, &signature)? || !mail.is_good(now) {
            return Err(Refusal::bad_link());
        }
        Ok(account)
    }

    pub(super) fn is_verified_by(&self, signature: &str, now: u64) -> Outcome<Value> {
        let mut account = self.by_link(Kind::Verify, signature, now)?;
        self.store.delete(key(Kind::Verify))?;
        account.verified_at = Some(now);
        self.store.put(&ACCOUNT, &account)?;
        Ok(Value::Null)
    }

    /// Whoever reads the mail has the account: all sessions end, and what strangers guessed is forgotten.
    pub(super) async fn resets(&self, reset: Reset, now: u64) -> Outcome<Value> {
        self.by_link(Kind::Reset, &reset.signature, now)?;
        let hash = password::hash(&self.env, &reset.password).await?;
        // Somebody may have been quicker.
        let mut account = self.by_link(Kind::Reset, &reset.signature, now)?;
        self.store.delete(key(Kind::Reset))?;
        account.password = hash;
        account.verified_at = account.verified_at.or(Some(now));
        self.forget_password();
        self.end_all_but(account, None, now)?;
        rate::forget(&self.store, FAILURES)?;
        self.write_mail(Kind::Changed, now).await?;
        Ok(Value::Null)
    }

    /// Sends what is due.
    pub(super) async fn send_mails(&self, now: u64) -> Result<()> {
        let Some(account) = self.account()? else {
            return Ok(());
        };
        for mail in self.store.all::<Mail>(&MAILS)? {
            if mail.due.is_none_or(|due| due > now) {
                continue;
            }
            let signature = config::signature(&self.env, &mail.claim(&account.user.id))?;
            let token = format!("{}.{}", account.user.id, crypto::encode(&signature));
            let sent = mail::send(&self.env, &mail, &account.user.email, &token).await;
            // Asked for anew, or used, while it was under way.
            let now_stored: Option<Mail> = self.store.get_readable(key(mail.kind))?;
            if now_stored.as_ref() != Some(&mail) {
                continue;
            }
            let after = match sent {
                Ok(()) => mail.sent(),
                Err(failure) => {
                    let after = mail.failed(failure.for_good, now);
                    let fault = match after.due {
                        Some(_) => "a mail was not sent, and is tried again",
                        None => "a mail was not sent, and is given up",
                    };
                    console_error!("{}", json!({ "fault": fault, "why": failure.why }));
                    after
                }
            };
            self.store.put(&MAILS, &after)?;
        }
        Ok(())
    }

    /// When the next mail is due.
    pub(super) fn next_mail(&self) -> Result<Option<u64>> {
        let mails: Vec<Mail> = self.store.all(&MAILS)?;
        Ok(mails.into_iter().filter_map(|mail| mail.due).min())
    }
}

fn key(kind: Kind) -> Key {
    MAILS.key([kind.name().into()])
}
