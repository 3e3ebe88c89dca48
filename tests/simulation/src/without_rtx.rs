//! Offers of clients that know no repair packets (RFC 4588).

/// An offer without the formats that repair packets of a codec have, or of each whose name begins so.
pub fn without_rtx(sdp: &str, codec: &str) -> String {
    let begins = |line: &&str, begin: &str| line.starts_with(begin);
    let maps = sdp.lines().filter_map(|line| {
        let map = line.strip_prefix("a=rtpmap:")?;
        map.split_once(' ')
    });
    let repaired: Vec<&str> = maps
        .filter(|(_, name)| name.starts_with(codec))
        .map(|(number, _)| number)
        .collect();
    let parameters = sdp.lines().filter_map(|line| {
        let parameters = line.strip_prefix("a=fmtp:")?;
        parameters.split_once(" apt=")
    });
    let numbers: Vec<&str> = parameters
        .filter(|(_, apt)| repaired.contains(apt))
        .map(|(number, _)| number)
        .collect();
    let is_of_rtx = |line: &&str| {
        let of = |number: &&str| {
            begins(line, &format!("a=fmtp:{number} "))
                || begins(line, &format!("a=rtpmap:{number} "))
        };
        numbers.iter().any(of)
    };
    let lines = sdp.lines().filter(|line| !is_of_rtx(line));
    let lines = lines.map(|line| match line.starts_with("m=video") {
        true => {
            let words = line.split(' ').filter(|word| !numbers.contains(word));
            words.collect::<Vec<_>>().join(" ")
        }
        false => line.to_owned(),
    });
    lines.map(|line| line + "\r\n").collect()
}
