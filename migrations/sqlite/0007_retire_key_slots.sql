-- A key slot that opens nothing any more for who asks the vault: its passphrase was changed. The object stays as long as the recovery
-- points that name it.
ALTER TABLE slots ADD COLUMN retired_at INTEGER;
