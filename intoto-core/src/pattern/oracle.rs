//! Patterns as Python words them, slowly and without any of the real code, for the tests to compare with.

/// Python's definition of patterns read naively: exponential, straight from the text. Sets have no ranges here.
pub(crate) fn slow_match(pattern: &[char], name: &[char]) -> bool {
    let Some((first, after)) = pattern.split_first() else {
        return name.is_empty();
    };
    match first {
        '*' => (0..=name.len()).any(|taken| slow_match(after, &name[taken..])),
        '?' => !name.is_empty() && slow_match(after, &name[1..]),
        '[' => {
            let negated = after.first() == Some(&'!');
            let content = usize::from(negated);
            match (content + 1..after.len()).find(|index| after[*index] == ']') {
                Some(close) => {
                    !name.is_empty()
                        && after[content..close].contains(&name[0]) != negated
                        && slow_match(&after[close + 1..], &name[1..])
                }
                None => name.first() == Some(&'[') && slow_match(after, &name[1..]),
            }
        }
        literal => name.first() == Some(literal) && slow_match(after, &name[1..]),
    }
}
