//! Browsers that have signed in before (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"): what is tried from one
//! of them counts for it alone, so that a stranger who guesses at an account keeps nobody out who was in.

use protocol::id::UserId;

/// How many accounts of one browser are known again: those that signed in last.
const MAX_ACCOUNTS: usize = 5;
/// How long a browser is known after a sign-in, in seconds: as long as browsers keep a cookie.
pub const DEVICE_SECONDS: u64 = 400 * 24 * 3600;
/// Longest name of a device and longest signature, in characters.
const MAX_PART: usize = 64;

/// One browser of one account. Its signature is the Worker's to make and to check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub user: UserId,
    /// Random, and the same for as long as the browser has the cookie.
    pub id: String,
    pub signature: String,
}

impl Device {
    /// What the signature signs.
    pub fn claim(user: &UserId, id: &str) -> String {
        format!("device {user} {id}")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let user = parts.next()?.parse().ok()?;
        let (id, signature) = (parts.next()?, parts.next()?);
        let fine = |part: &str| (1..=MAX_PART).contains(&part.len());
        (fine(id) && fine(signature) && parts.next().is_none()).then(|| Self {
            user,
            id: id.into(),
            signature: signature.into(),
        })
    }
}

/// What a browser's cookie holds: one device of each account, the latest first. None of it is verified.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Devices(Vec<Device>);

impl Devices {
    /// Reads a cookie; what is no device in it is left out.
    pub fn parse(cookie: &str) -> Self {
        Self(
            cookie
                .split('~')
                .filter_map(Device::parse)
                .take(MAX_ACCOUNTS)
                .collect(),
        )
    }

    /// The device of an account.
    pub fn of(&self, user: &UserId) -> Option<&Device> {
        self.0.iter().find(|device| device.user == *user)
    }

    /// The cookie after a sign-in from this device.
    pub fn with(self, device: Device) -> String {
        let others = self.0.into_iter().filter(|other| other.user != device.user);
        std::iter::once(device.clone())
            .chain(others)
            .take(MAX_ACCOUNTS)
            .map(
                |Device {
                     user,
                     id,
                     signature,
                 }| format!("{user}.{id}.{signature}"),
            )
            .collect::<Vec<_>>()
            .join("~")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(user: &str) -> Device {
        Device {
            user: user.parse().unwrap(),
            id: "1a2b".into(),
            signature: "signed".into(),
        }
    }

    #[test]
    fn a_browser_is_known_to_each_of_its_latest_accounts() {
        let cookie = ["ada", "bob", "ada", "cy", "di", "ed", "flo"]
            .into_iter()
            .fold(String::new(), |cookie, user| {
                Devices::parse(&cookie).with(device(user))
            });
        let known = Devices::parse(&cookie);
        assert_eq!(known.of(&"bob".parse().unwrap()), None);
        for user in ["ada", "cy", "di", "ed", "flo"] {
            let user = user.parse().unwrap();
            assert_eq!(known.of(&user).unwrap().user, user);
        }
        assert!(cookie.starts_with("flo.1a2b.signed~ed."));
        assert_eq!(cookie.matches('~').count(), MAX_ACCOUNTS - 1);
    }

    #[test]
    fn what_is_no_device_is_left_out() {
        let long = format!("ada.{}.signed", "x".repeat(MAX_PART + 1));
        let table = [
            "",
            "~",
            "ada",
            "ada.1",
            "ada..s",
            "ada.1.",
            "ada.1.s.t",
            ".1.s",
            "a b.1.s",
            &long,
        ];
        for text in table {
            assert_eq!(Devices::parse(text), Devices::default(), "{text:?} passed");
        }
        let mixed = Devices::parse(&format!(
            "~nonsense~{}",
            Devices::default().with(device("ada"))
        ));
        assert_eq!(mixed.of(&"ada".parse().unwrap()), Some(&device("ada")));
    }
}
