//! Takes out of programs' output what changes although nothing changed.

use serde_json::Value;

/// Sorted lines, each once.
pub(super) fn sorted_lines(output: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(output);
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    join(&lines)
}

/// The last two words of each line, sorted: of `systemctl list-timers`, the timer and what it starts, without when.
pub(super) fn timers(output: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(output);
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut words = line.split_whitespace().rev();
        if let (Some(starts), Some(timer)) = (words.next(), words.next())
            && timer.ends_with(".timer")
        {
            lines.push(format!("{timer}\t{starts}"));
        }
    }
    lines.sort_unstable();
    join(&lines)
}

/// JSON with its keys sorted and without those that count or change by themselves.
pub(super) fn steady_json(output: &[u8]) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(output).ok()?;
    drop_volatile(&mut value);
    let mut text = serde_json::to_vec_pretty(&value).ok()?;
    text.push(b'\n');
    Some(text)
}

/// Remaining lifetimes of addresses and routes, and what only this start of the machine has.
const VOLATILE: [&str; 8] =
    ["valid_life_time", "preferred_life_time", "expires", "age", "used", "BootID", "stats", "stats64"];

fn drop_volatile(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !VOLATILE.contains(&name.as_str()));
            fields.values_mut().for_each(drop_volatile);
        }
        Value::Array(values) => values.iter_mut().for_each(drop_volatile),
        _ => {}
    }
}

fn join(lines: &[impl AsRef<str>]) -> Vec<u8> {
    lines.iter().flat_map(|line| [line.as_ref(), "\n"]).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_keep_neither_times_nor_order() {
        let once = b"Mon 2026-11-23 22:00:00 UTC 3h left Sun 2026-11-22 1h ago b.timer b.service\n- - - - a.timer a.service\n";
        let later =
            b"- - - - a.timer a.service\nTue 2026-11-24 22:00:00 UTC 1h left Mon 5h ago b.timer b.service\n";
        assert_eq!(timers(once), timers(later));
        assert_eq!(timers(once), b"a.timer\ta.service\nb.timer\tb.service\n");
    }

    #[test]
    fn json_keeps_what_stays() {
        let once = br#"[{"valid_life_time":77,"local":"10.0.0.2","inner":{"age":3,"b":1,"a":2}}]"#;
        let later = br#"[{"local":"10.0.0.2","inner":{"a":2,"b":1,"age":99},"valid_life_time":3}]"#;
        assert_eq!(steady_json(once), steady_json(later));
        assert!(String::from_utf8(steady_json(once).unwrap()).unwrap().contains("10.0.0.2"));
        assert_eq!(steady_json(b"{broken"), None);
    }

    #[test]
    fn lines_are_sorted_and_stand_once() {
        assert_eq!(sorted_lines(b"b \n\na\nb\n"), b"a\nb\n");
    }
}
