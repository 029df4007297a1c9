//! VSS writers and the roles of a server that they stand for.
//!
//! A backup of Windows Server Backup holds one file for each writer that took part, named by its id: so what of the machine
//! is in a recovery point can be told without asking the machine.

use std::fmt;

/// A writer's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriterId(pub u128);

impl WriterId {
    /// Reads `e8132975-6f93-4464-a53e-1050253ae220`, in letters of either case, with or without braces.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
        let mut number = 0u128;
        if text.len() != 36 {
            return None;
        }
        for (place, byte) in text.bytes().enumerate() {
            match (place, char::from(byte).to_digit(16)) {
                (8 | 13 | 18 | 23, _) if byte == b'-' => {}
                (8 | 13 | 18 | 23, _) => return None,
                (_, Some(digit)) => number = number << 4 | u128::from(digit),
                (_, None) => return None,
            }
        }
        Some(Self(number))
    }

    /// The first one in braces.
    pub fn in_text(text: &str) -> Option<Self> {
        text.match_indices('{').find_map(|(at, _)| Self::parse(text.get(at..at + 38)?))
    }
}

impl fmt::Display for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        let (a, b, c, d) = (n >> 96, n >> 80 & 0xffff, n >> 64 & 0xffff, n >> 48 & 0xffff);
        write!(f, "{a:08x}-{b:04x}-{c:04x}-{d:04x}-{:012x}", n & 0xffff_ffff_ffff)
    }
}

/// A writer that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writer {
    /// Its id.
    pub id: WriterId,
    /// As Microsoft names it.
    pub name: &'static str,
    /// The component's name in a recovery point.
    pub component: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// The service that runs it, if one can be named.
    pub service: Option<&'static str>,
}

macro_rules! writers {
    ($($id:literal, $name:literal, $component:literal, $purpose:literal, $service:expr;)*) => {
        /// Those in the operating system and its roles.
        pub const WRITERS: &[Writer] =
            &[$(Writer { id: WriterId($id), name: $name, component: $component, purpose: $purpose, service: $service }),*];
    };
}

writers! {
    0xE8132975_6F93_4464_A53E_1050253AE220, "System Writer", "writer-system", "System files, drivers, services, catalogs", Some("CryptSvc");
    0xAFBAB4A2_367D_4D15_A586_71DBB18F8485, "Registry Writer", "writer-registry", "The machine's registry", Some("VSS");
    0x542DA469_D3E1_473C_9F4F_7847F01FC64F, "COM+ REGDB Writer", "writer-com", "The database of registered COM+ classes", Some("VSS");
    0xBE000CBE_11FE_4426_9C58_531AA6355FC4, "ASR Writer", "writer-asr", "Boot configuration and the layout of disks", Some("VSS");
    0xA6AD56C2_B509_4E6C_BB19_49D8F43532F0, "WMI Writer", "writer-wmi", "The repository of WMI", Some("Winmgmt");
    0x0BADA1DE_01A9_4625_8278_69E735F39DD2, "Performance Counters Writer", "writer-counters", "Performance counters", None;
    0xD61D61C8_D73A_4EEE_8CDD_F6F9786B7124, "Task Scheduler Writer", "writer-tasks", "Scheduled tasks", Some("Schedule");
    0x75DFB225_E2E4_4D39_9AC9_FFAFF65DDF06, "VSS Express Writer Metadata Store Writer", "writer-express", "Metadata of express writers", None;
    0x4DC3BDD4_AB48_4D07_ADB0_3BEE2926FD7F, "Shadow Copy Optimization Writer", "writer-shadow-copy", "What shadow copies leave out", Some("VSS");
    0x4969D978_BE47_48B0_B100_F328F07AC1E0, "BITS Writer", "writer-bits", "What background transfers leave out", Some("BITS");
    0xCD3F2362_8BEF_46C7_9181_D62844CDC062, "MSSearch Service Writer", "writer-search", "What the search index leaves out", Some("WSearch");
    0xCD3F2362_8BEF_46C7_9181_D62844CDC0B2, "MSSearch Service Writer", "writer-search", "What the search index leaves out", Some("WSearch");
    0xB2014C9E_8711_4C5C_A5A9_3CF384484757, "NTDS", "role-domain-controller", "Active Directory Domain Services", Some("NTDS");
    0xDD846AAA_A1B6_42A8_AAF8_03DCB6114BFD, "ADAM", "role-directory-lds", "Active Directory Lightweight Directory Services", None;
    0x772C45F8_AE01_4F94_940C_94961864ACAD, "ADFS", "role-federation", "Active Directory Federation Services", Some("adfssrv");
    0x886C43B1_D455_4428_A37F_4D6B9E43F50F, "AD RMS Writer", "role-rights-management", "Active Directory Rights Management Services", None;
    0x6F5B15B5_DA24_4D88_B737_63063E3A1F86, "Certificate Authority", "role-certificates", "Active Directory Certificate Services", Some("CertSvc");
    0x2A40FD15_DFCA_4AA8_A654_1F8C654603F6, "IIS Config Writer", "role-web-config", "Configuration of Internet Information Services", Some("AppHostSvc");
    0x59B1F0CF_90EF_465F_9609_6CA8B2938366, "IIS Metabase Writer", "role-web-metabase", "The metabase of Internet Information Services", Some("IISADMIN");
    0x1072AE1C_E5A7_4EA1_9E4A_6F7964656570, "Cluster Shared Volume VSS Writer", "role-shared-volumes", "Shared volumes of a cluster", Some("ClusSvc");
    0xBE9AC81E_3619_421F_920F_4C6FEA9E93AD, "Dhcp Jet Writer", "role-dhcp", "DHCP server", Some("DHCPServer");
    0xF08C1483_8407_4A26_8C26_6C267A629741, "WINS Jet Writer", "role-wins", "WINS server", Some("WINS");
    0x35E81631_13E1_48DB_97FC_D5BC721BB18A, "NPS VSS Writer", "role-network-policy", "Network Policy Server", Some("IAS");
    0x12CE4370_5BB7_4C58_A76A_E5D5097E3674, "FSRM Writer", "role-file-resources", "File Server Resource Manager", Some("SrmSvc");
    0x5382579C_98DF_47A7_AC6C_98A6D7106E09, "TermServLicensing", "role-remote-licensing", "Remote Desktop Licensing", Some("TermServLicensing");
    0x368753EC_572E_4FC7_B4B9_CCD9BDC624CB, "TS Gateway Writer", "role-remote-gateway", "Remote Desktop Gateway", Some("TSGateway");
    0x82CB5521_68DB_4626_83A4_7FC6F88853E9, "WDS VSS Writer", "role-deployment", "Windows Deployment Services", Some("WDSServer");
    0x8D5194E1_E455_434A_B2E5_51296CCE67DF, "WIDWriter", "role-internal-database", "Windows Internal Database", Some("WIDWriter");
    0x7E47B561_971A_46E6_96B9_696EEAA53B2A, "MSMQ Writer", "role-message-queues", "Message Queuing", Some("MSMQ");
    0xD46BF321_FDBA_4A35_8EC3_454DF03BC86A, "Sync Share Service Writer", "role-work-folders", "Work Folders", Some("SyncShareSvc");
}

/// Active Directory's writer: where it took part, the server is a domain controller.
pub const NTDS: WriterId = WriterId(0xB2014C9E_8711_4C5C_A5A9_3CF384484757);

/// Writers without which an image is no System State.
pub const ESSENTIAL: [WriterId; 2] =
    [WriterId(0xE8132975_6F93_4464_A53E_1050253AE220), WriterId(0xAFBAB4A2_367D_4D15_A586_71DBB18F8485)];

/// The writer of that id, if it is known.
pub fn writer(id: WriterId) -> Option<&'static Writer> {
    WRITERS.iter().find(|writer| writer.id == id)
}

/// The writer whose file this is by its name: `…_Writer<id>.xml`.
pub fn writer_of_file(name: &str) -> Option<WriterId> {
    let stem = name.get(..name.len().checked_sub(4)?).filter(|_| name.to_lowercase().ends_with(".xml"))?;
    let (_, id) = stem.rsplit_once("_Writer")?;
    WriterId::parse(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stateward_model::ComponentName;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_read_in_either_case_and_written_in_small_letters() {
        let text = "e8132975-6f93-4464-a53e-1050253ae220";
        let id = WriterId::parse(text).unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(WriterId::parse(&format!("{{{}}}", text.to_uppercase())), Some(id));
        assert_eq!(WriterId::in_text(&format!("an id: {{{text}}}")), Some(id));
        assert_eq!(WriterId::in_text("{ä} {{"), None);
        for wrong in ["", "e8132975", &text.replace('-', "0"), &text.replace('e', "g")] {
            assert_eq!(WriterId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_writers_file_is_known_by_its_name_in_a_real_listing() {
        let set = "cd113385-65ff-4ea2-8ced-5630f6feca8f";
        let id = "e8132975-6f93-4464-a53e-1050253ae220";
        assert_eq!(writer_of_file(&format!("{set}_Writer{id}.xml")), Some(ESSENTIAL[0]));
        for other in [
            &format!("{set}_Components.xml"),
            &format!("{set}_RegistryExcludes.xml"),
            "BackupSpecs.xml",
            "x",
            "",
        ] {
            assert_eq!(writer_of_file(other), None);
        }
        assert_eq!(writer(NTDS).unwrap().component, "role-domain-controller");
    }

    #[test]
    fn ids_are_there_once_and_names_are_names_of_components() {
        let ids: BTreeSet<_> = WRITERS.iter().map(|writer| writer.id).collect();
        assert_eq!(ids.len(), WRITERS.len());
        assert!(WRITERS.iter().all(|writer| writer.component.parse::<ComponentName>().is_ok()));
        assert!(ESSENTIAL.iter().all(|id| writer(*id).is_some()));
    }
}
