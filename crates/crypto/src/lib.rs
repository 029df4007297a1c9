//! Passphrases to keys, seal and open, keyed ids, the chunker's secret.
