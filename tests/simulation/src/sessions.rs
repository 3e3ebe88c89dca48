//! Clients' sessions, as the edge handles them: offers and answers, networks that change, and what the room decides.

use std::net::SocketAddr;
use std::time::Duration;

use protocol::client::SourceMid;
use protocol::id::{Attempt, BreakoutId};
use protocol::media::Caps;
use protocol::node::{NodeToRoom, RoomToNode};

use crate::client::Client;
use crate::client::accent::Accent;
use crate::encoder::Videos;
use crate::names::participant;
use crate::world::World;

impl World {
    /// A client joins at a node and sends audio and video once it is connected; returns its number.
    pub fn join(&mut self, node: usize) -> usize {
        self.join_with(node, Videos::PLAIN)
    }

    /// The same, with this video.
    pub fn join_with(&mut self, node: usize, videos: Videos) -> usize {
        self.join_as(node, videos, None)
    }

    /// The same, of a client that writes in its own way.
    pub fn join_as(&mut self, node: usize, videos: Videos, accent: Option<Accent>) -> usize {
        let (client, sdp, sources) = self.newcomer(videos, accent);
        self.enter(node, client, sdp, sources)
    }

    /// The same, of a client whose offer is rewritten on its way.
    pub fn join_writing(
        &mut self,
        node: usize,
        videos: Videos,
        write: impl FnOnce(String) -> String,
    ) -> usize {
        let (client, sdp, sources) = self.newcomer(videos, None);
        self.enter(node, client, write(sdp), sources)
    }

    fn newcomer(&self, videos: Videos, accent: Option<Accent>) -> (Client, String, Vec<SourceMid>) {
        let number = self.clients.len() as u8;
        let address = SocketAddr::from(([10, 1, number, 2], 5_000));
        Client::new(self.now, number, address, videos, accent, self.dtls)
    }

    fn enter(
        &mut self,
        node: usize,
        client: Client,
        sdp: String,
        sources: Vec<SourceMid>,
    ) -> usize {
        let number = self.clients.len();
        self.clients.push(client);
        self.homes.push(node);
        self.attempts.push(1);
        self.offer(number, sdp, sources, Caps::default());
        number
    }

    /// Hands a client's offer to its node, takes the answer back, and lets the client send.
    pub(crate) fn offer(
        &mut self,
        number: usize,
        sdp: String,
        sources: Vec<SourceMid>,
        caps: Caps,
    ) {
        let told = self.told.len();
        self.tell(
            self.homes[number],
            RoomToNode::Offer {
                participant: participant(number),
                attempt: Attempt(self.attempts[number]),
                sdp,
                sources,
                caps,
                breakout: self.breakout_of_newcomers.map(BreakoutId),
                trail: None,
            },
        );
        let answer = self.told[told..].iter().find_map(|(_, m)| match m {
            NodeToRoom::Answer { sdp, .. } => Some(sdp.clone()),
            _ => None,
        });
        self.clients[number].accept(&answer.expect("the offer is answered"));
        self.clients[number].publish(self.now);
    }

    /// A client has another address from now on, and restarts ICE by way of the room, which takes so long.
    pub fn change_network(&mut self, client: usize, signaling: Duration) {
        let address = SocketAddr::from(([10, 2, client as u8, 2], 6_000));
        let sdp = self.clients[client].restart_ice(address);
        self.run(signaling);
        let told = self.told.len();
        let message = RoomToNode::RestartIce {
            participant: participant(client),
            attempt: Attempt(1),
            sdp,
        };
        self.tell(self.homes[client], message);
        let credentials = self.told[told..].iter().find_map(|(_, m)| match m {
            NodeToRoom::IceRestarted { credentials, .. } => Some(credentials.clone()),
            _ => None,
        });
        self.run(signaling);
        self.clients[client].ice_restarted(&credentials.expect("the restart is answered"));
    }

    /// A client asks for an ICE restart and never hears of the answer: it stays where it is, under its old credentials.
    pub fn ask_for_restart(&mut self, client: usize) {
        let sdp = self.clients[client].offer_restart();
        let message = RoomToNode::RestartIce {
            participant: participant(client),
            attempt: Attempt(1),
            sdp,
        };
        self.tell(self.homes[client], message);
    }

    /// The room ends a client's session.
    pub fn kick(&mut self, client: usize) {
        let message = RoomToNode::Close {
            participant: participant(client),
            attempt: Attempt(self.attempts[client]),
        };
        self.tell(self.homes[client], message);
    }

    /// A node has dialed the room's link anew.
    pub fn relink(&mut self, node: usize) {
        let words = self.nodes[node].engine.retell(&self.room).words;
        self.told
            .extend(words.into_iter().map(|message| (node, message)));
    }

    /// The room says what a client may send from now on.
    pub fn set_caps(&mut self, client: usize, caps: Caps) {
        let message = RoomToNode::Caps {
            participant: participant(client),
            caps,
        };
        self.tell(self.homes[client], message);
    }

    /// A client offers anew, at this node, as the same participant; its old session falls silent.
    pub fn rejoin(&mut self, client: usize, node: usize) {
        self.attempts[client] += 1;
        let mut address = self.clients[client].address;
        address.set_port(address.port() + 1);
        let number = self.clients[client].number;
        let level = self.clients[client].level;
        let (mut anew, sdp, sources) =
            Client::new(self.now, number, address, Videos::PLAIN, None, self.dtls);
        anew.level = level;
        self.clients[client] = anew;
        self.homes[client] = node;
        self.offer(client, sdp, sources, Caps::default());
    }

    /// The attempt of a client's session.
    pub fn attempt(&self, client: usize) -> u32 {
        self.attempts[client]
    }

    /// The room ends the session that a client had at a node under this attempt.
    pub fn close(&mut self, node: usize, client: usize, attempt: u32) {
        let message = RoomToNode::Close {
            participant: participant(client),
            attempt: Attempt(attempt),
        };
        self.tell(node, message);
    }
}
