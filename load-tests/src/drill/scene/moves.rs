//! The name of PgBouncer, which moves between two addresses.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use warrior_stack::proxy::Proxy;

use crate::control::Cluster;
use crate::drill::isolation;

/// Two addresses of PgBouncer, and the file that says at which of them its name is.
pub(in crate::drill) struct Moves {
    names: PathBuf,
    first: Proxy,
    second: Proxy,
}

impl Moves {
    const FIRST: &str = "127.0.0.2";
    const SECOND: &str = "127.0.0.3";

    pub(super) fn begin(cluster: &Cluster) -> anyhow::Result<Moves> {
        let at = |address: &str| -> anyhow::Result<Proxy> {
            let near = (address.parse::<Ipv4Addr>()?, isolation::POOLER_PORT).into();
            Ok(Proxy::between(near, cluster.pooler_port())?)
        };
        let moves = Moves {
            names: cluster.endpoints().data.join("hosts"),
            first: at(Moves::FIRST)?,
            second: at(Moves::SECOND)?,
        };
        isolation::resolve(&moves.names, Moves::FIRST)?;
        Ok(moves)
    }

    /// Has the name resolve to the other address, and the one before fall silent.
    pub(in crate::drill) fn away(&self, from_first: bool) -> anyhow::Result<()> {
        let (to, silent, serves) = match from_first {
            true => (Moves::SECOND, &self.first, &self.second),
            false => (Moves::FIRST, &self.second, &self.first),
        };
        isolation::resolve(&self.names, to)?;
        serves.relay();
        silent.hang();
        Ok(())
    }
}
