//! What System State leaves out, and why.

/// What is left out, though it lies below a rule's path or is often looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeftOut {
    /// Its paths; each stands for itself and all below it.
    pub paths: &'static [&'static str],
    /// Why, and how to protect it if it can be, as sentences for a person.
    pub why: &'static str,
}

/// What is left out by its path.
pub const LEFT_OUT: &[LeftOut] = &[
    LeftOut {
        paths: &[
            "/home",
            "/root",
            "/srv",
            "/var/local",
            "/var/mail",
            "/var/opt",
            "/var/snap",
            "/var/spool/mail",
            "/var/www",
        ],
        why: "People's and applications' data. Protect it with `stateward protect files PATH…`. (`/root/.ssh` is kept: \
              it says who may log in as root.)",
    },
    LeftOut {
        paths: &["/dev", "/proc", "/run", "/sys", "/snap", "/media", "/mnt"],
        why: "Made by the kernel or at each start, or places where other file systems are mounted",
    },
    LeftOut {
        paths: &[
            "/tmp",
            "/var/cache",
            "/var/crash",
            "/var/lib/apt/lists",
            "/var/lib/apt/mirrors",
            "/var/lib/command-not-found",
            "/var/lib/man-db",
            "/var/lib/mlocate",
            "/var/lib/plocate",
            "/var/lib/systemd/coredump",
            "/var/lib/systemd/linger-cache",
            "/var/tmp",
        ],
        why: "Caches, temporary files and memory images: made again when they are needed",
    },
    LeftOut {
        paths: &["/var/account", "/var/log"],
        why: "Logs: they say what was, not how the server is made. Protect them with `stateward protect files /var/log` \
              if you must keep them",
    },
    LeftOut {
        paths: &[
            "/var/lib/buildkit",
            "/var/lib/cni",
            "/var/lib/containerd",
            "/var/lib/containers",
            "/var/lib/docker",
            "/var/lib/flatpak",
            "/var/lib/incus",
            "/var/lib/k0s",
            "/var/lib/kubelet",
            "/var/lib/libvirt/images",
            "/var/lib/libvirt/qemu/save",
            "/var/lib/lxc",
            "/var/lib/lxcfs",
            "/var/lib/lxd",
            "/var/lib/machines",
            "/var/lib/portables",
            "/var/lib/rancher",
            "/var/lib/snapd/cache",
            "/var/lib/snapd/seed",
            "/var/lib/snapd/snaps",
        ],
        why: "Stores of containers and virtual machines: images are fetched again; protect volumes and disks with \
              `stateward protect files`, stopped or from a dump",
    },
    LeftOut {
        paths: &[
            "/var/lib/cassandra",
            "/var/lib/clickhouse",
            "/var/lib/cockroach",
            "/var/lib/couchdb",
            "/var/lib/elasticsearch",
            "/var/lib/etcd",
            "/var/lib/firebird",
            "/var/lib/influxdb",
            "/var/lib/mariadb",
            "/var/lib/mongo",
            "/var/lib/mongodb",
            "/var/lib/mysql",
            "/var/lib/mysql-files",
            "/var/lib/neo4j",
            "/var/lib/opensearch",
            "/var/lib/pgsql",
            "/var/lib/postgresql",
            "/var/lib/prometheus",
            "/var/lib/rabbitmq",
            "/var/lib/redis",
            "/var/lib/scylla",
            "/var/lib/valkey",
        ],
        why: "Data of databases: copied while they run it would not be usable. Write a dump (`pg_dumpall`, \
              `mariadb-dump`, …) by a hook before each backup or on a schedule, and protect its folder with `stateward \
              protect files`",
    },
    LeftOut {
        paths: &[
            "/var/kerberos/krb5kdc/principal*",
            "/var/lib/dirsrv/slapd-*/bak",
            "/var/lib/dirsrv/slapd-*/changelogdb",
            "/var/lib/dirsrv/slapd-*/db",
            "/var/lib/dirsrv/slapd-*/ldif",
            "/var/lib/ipa/backup",
            "/var/lib/krb5kdc/principal*",
            "/var/lib/ldap",
            "/var/lib/openldap-data",
        ],
        why: "Databases of directory servers: each backup of `directory-services` holds their own dumps instead",
    },
    LeftOut {
        paths: &[
            "/var/lib/ceph",
            "/var/lib/git",
            "/var/lib/gitlab",
            "/var/lib/jenkins",
            "/var/lib/minio",
            "/var/lib/nextcloud",
            "/var/lib/plexmediaserver",
            "/var/lib/tftpboot",
        ],
        why: "Data of applications, often large. Protect it with `stateward protect files PATH…`",
    },
    LeftOut {
        paths: &["/var/lib/systemd/random-seed"],
        why: "A seed of random numbers: using it twice would weaken them. A new one is made at the next start",
    },
    LeftOut {
        paths: &["/boot/lost+found", "/opt/lost+found", "/usr/lost+found", "/var/lib/lost+found"],
        why: "What a file system check found: belongs to the disk, not to the system",
    },
    LeftOut {
        paths: &["/var/lib/stateward", "/var/lib/stateward-vault"],
        why: "Stateward's own home, cache and vaults, wherever they are: a vault's folder is known by what it holds \
              (`vault.json` beside `store` and `signing.key`), home and cache by the agent's settings. A vault is \
              protected by its redundancy and by copying its folder",
    },
];

/// Why a path that no rule names is left out.
pub const EVERYTHING_ELSE: &str = "Whatever no rule names (such as a folder of your own below `/`, a swap file, or \
     another file system mounted below a component's folder). Protect it with `stateward protect files PATH…`";
