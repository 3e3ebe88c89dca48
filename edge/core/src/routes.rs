//! The routes of the HTTP API, in one table: by it the Worker answers, and of it the OpenAPI document is made.

/// How many parameters an address has at most.
const PARAMETERS: usize = 2;

/// What a request wants done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
    /// None that we have anything for.
    Other,
}

impl Method {
    /// Methods are case-sensitive (RFC 9110, 9.1).
    pub fn parse(text: &str) -> Self {
        match text {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    /// As `Allow` names it. What can be got can be asked about, too.
    fn announced(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "",
        }
    }
}

/// A line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub operation: Operation,
    pub method: Method,
    /// `{name}` stands for one segment, whatever it is.
    pub path: &'static str,
}

macro_rules! routes {
    ($($operation:ident: $method:ident $path:literal),+ $(,)?) => {
        /// What can be asked for. Its name is the document's `operationId`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operation {
            $($operation),+
        }

        /// All routes. Of two addresses that a path fits, the first counts.
        pub const ROUTES: &[Route] = &[
            $(Route { operation: Operation::$operation, method: Method::$method, path: $path }),+
        ];
    };
}

routes! {
    Register: Post "/api/auth/register",
    Login: Post "/api/auth/login",
    Refresh: Post "/api/auth/refresh",
    Logout: Post "/api/auth/logout",
    Me: Get "/api/auth/me",
    GetSignInWays: Get "/api/auth/ways",
    StartSignOn: Get "/api/auth/sso/{provider}/start",
    FinishSignOn: Get "/api/auth/sso/{provider}/callback",
    AskToReset: Post "/api/auth/reset",
    Reset: Post "/api/auth/reset/confirm",
    Verify: Post "/api/auth/verify",
    GetAccount: Get "/api/account",
    ListSessions: Get "/api/account/sessions",
    EndOtherSessions: Delete "/api/account/sessions",
    EndSession: Delete "/api/account/sessions/{session}",
    ChangePassword: Post "/api/account/password",
    AskToVerify: Post "/api/account/verification",
    ExportAccount: Get "/api/account/export",
    DeleteAccount: Post "/api/account/deletion",
    Jwks: Get "/.well-known/jwks.json",
    GetOpenapi: Get "/api/openapi.json",

    ListRooms: Get "/api/rooms",
    CreateRoom: Post "/api/rooms",
    // The name that load scripts written to the specification use. No room's id is like it.
    CreateRoomByAlias: Post "/api/rooms/create",
    GetRoom: Get "/api/rooms/{id}",
    DeleteRoom: Delete "/api/rooms/{id}",
    GetAudit: Get "/api/rooms/{id}/audit",
    GetDoor: Get "/api/rooms/{id}/door",
    ComeAsGuest: Post "/api/rooms/{id}/guests",
    JoinRoom: Post "/api/rooms/{id}/join",
    TellJoin: Post "/api/rooms/{id}/joins",
    ConnectRoom: Get "/api/rooms/{id}/ws",
    ExportChat: Get "/api/rooms/{id}/chat/export",
    ExportNotes: Get "/api/rooms/{id}/notes/export",
    GetIceServers: Get "/api/ice-servers",
    SearchDirectory: Get "/api/directory",

    ListKeys: Get "/api/v1/keys",
    CreateKey: Post "/api/v1/keys",
    RevokeKey: Delete "/api/v1/keys/{key}",
    ListOwnRooms: Get "/api/v1/rooms",
    CreateOwnRoom: Post "/api/v1/rooms",
    GetOwnRoom: Get "/api/v1/rooms/{id}",
    ChangeOwnRoom: Patch "/api/v1/rooms/{id}",
    DeleteOwnRoom: Delete "/api/v1/rooms/{id}",
    ListParticipants: Get "/api/v1/rooms/{id}/participants",
    RemoveParticipant: Delete "/api/v1/rooms/{id}/participants/{participant}",
    CreateToken: Post "/api/v1/rooms/{id}/tokens",
    ModerateRoom: Post "/api/v1/rooms/{id}/moderation",
    SendData: Post "/api/v1/rooms/{id}/data",
    ListWebhooks: Get "/api/v1/webhooks",
    CreateWebhook: Post "/api/v1/webhooks",
    ChangeWebhook: Patch "/api/v1/webhooks/{webhook}",
    DeleteWebhook: Delete "/api/v1/webhooks/{webhook}",
    RotateWebhookSecret: Post "/api/v1/webhooks/{webhook}/secret",
    TestWebhook: Post "/api/v1/webhooks/{webhook}/test",
    ListDeliveries: Get "/api/v1/webhooks/{webhook}/deliveries",

    ConnectNode: Get "/node/regions/{region}",
    ConnectNodeToRoom: Get "/node/rooms/{id}",
}

/// What a request asks for, with the parameters of its address in their order; what there is none of is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'p> {
    pub operation: Operation,
    pub parameters: [&'p str; PARAMETERS],
}

/// Why a request asks for nothing that there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotFound {
    /// There is no such address.
    Address,
    /// There is, and it takes these methods.
    Method { allow: String },
}

/// What a request asks for. The address decides first, so that a wrong method is told apart from a wrong address.
pub fn find(method: Method, path: &str) -> Result<Found<'_>, NotFound> {
    // The platform leaves the body out of what a HEAD is answered with.
    let method = match method {
        Method::Head => Method::Get,
        method => method,
    };
    let (address, parameters) = address(path).ok_or(NotFound::Address)?;
    let route = routes_of(address).find(|route| route.method == method);
    let operation = route.map(|route| route.operation);
    operation
        .map(|operation| Found {
            operation,
            parameters,
        })
        .ok_or_else(|| NotFound::Method {
            allow: announced(address),
        })
}

/// The address of the table that a path is of: what it is counted and logged by. What somebody has written into the path is not
/// in it.
pub fn pattern(path: &str) -> Option<&'static str> {
    address(path).map(|(address, _)| address)
}

/// The methods that an address takes, as the header `Allow` has them, if there is such an address.
pub fn allowed(path: &str) -> Option<String> {
    address(path).map(|(address, _)| announced(address))
}

fn announced(address: &str) -> String {
    let methods = routes_of(address).map(|route| route.method.announced());
    let methods: Vec<&str> = methods.chain([Method::Options.announced()]).collect();
    methods.join(", ")
}

fn routes_of(address: &str) -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(move |route| route.path == address)
}

fn address(path: &str) -> Option<(&'static str, [&str; PARAMETERS])> {
    let mut addresses = ROUTES.iter().map(|route| route.path);
    addresses.find_map(|address| Some((address, parameters(address, path)?)))
}

/// The parameters of a path, if it is of this form.
fn parameters<'p>(address: &str, path: &'p str) -> Option<[&'p str; PARAMETERS]> {
    let mut parameters = [""; PARAMETERS];
    let mut free = parameters.iter_mut();
    let mut segments = path.split('/');
    for expected in address.split('/') {
        let segment = segments.next()?;
        if expected.starts_with('{') && !segment.is_empty() {
            *free.next()? = segment;
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_finds_its_operation_and_parameters() {
        let found = find(Method::Get, "/api/rooms/bako-tuvi/chat/export").unwrap();
        assert_eq!(found.operation, Operation::ExportChat);
        assert_eq!(found.parameters, ["bako-tuvi", ""]);
        let written = "/api/rooms/ada@example.com/join";
        assert_eq!(pattern(written), Some("/api/rooms/{id}/join"));
        assert_eq!(pattern("/api/ada@example.com"), None);
        let head = find(Method::Head, "/api/rooms").unwrap();
        assert_eq!(head.operation, Operation::ListRooms);
    }

    #[test]
    fn a_wrong_method_is_told_those_that_there_are() {
        let allow = "GET, HEAD, DELETE, OPTIONS".to_owned();
        let refused = Err(NotFound::Method { allow });
        assert_eq!(find(Method::Put, "/api/rooms/bako-tuvi"), refused);
        assert_eq!(find(Method::Options, "/api/rooms/bako-tuvi"), refused);
        // An address of its own comes before one that takes anything.
        assert_eq!(
            allowed("/api/rooms/create").as_deref(),
            Some("POST, OPTIONS")
        );
    }

    #[test]
    fn what_is_no_address_is_none() {
        for path in [
            "",
            "/",
            "/api",
            "/api/rooms/",
            "//api/rooms",
            "/api/rooms//join",
        ] {
            assert_eq!(find(Method::Get, path), Err(NotFound::Address), "{path:?}");
            assert_eq!(allowed(path), None);
        }
    }

    #[test]
    fn each_operation_is_found_by_its_own_address() {
        for route in ROUTES {
            let path = route.path.replace(['{', '}'], "");
            let found = find(route.method, &path).unwrap();
            assert_eq!(found.operation, route.operation, "{path}");
            assert!(allowed(&path).unwrap().contains(route.method.announced()));
        }
    }
}
