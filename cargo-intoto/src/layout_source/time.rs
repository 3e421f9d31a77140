//! Times in TOML: a full date and time in UTC, to the second.

use intoto_core::time::Timestamp;
use toml::Spanned;
use toml::de::DeValue;
use toml::value::{Datetime, Offset};

use crate::layout_source::Problem;
use crate::layout_source::table::{At, wrong_type};

/// Reads a time such as `2027-11-22T00:00:00Z`, unquoted as TOML has it.
pub(super) fn timestamp(
    field: &str,
    value: &Spanned<DeValue<'_>>,
    problems: &mut Vec<Problem>,
) -> Option<At<Timestamp>> {
    let DeValue::Datetime(datetime) = value.get_ref() else {
        problems.push(
            wrong_type(field, "a time in UTC", value).help("write it without quotes, as in `2027-11-22T00:00:00Z`"),
        );
        return None;
    };
    match to_utc(datetime) {
        Ok(time) => Some(At {
            value: time,
            span: value.span(),
        }),
        Err(why) => {
            problems.push(
                Problem::error(value.span(), format!("`{field}` takes a time in UTC"), why)
                    .help("write the full date and time with a `Z`, as in `2027-11-22T00:00:00Z`"),
            );
            None
        }
    }
}

fn to_utc(datetime: &Datetime) -> Result<Timestamp, &'static str> {
    let date = datetime.date.ok_or("the date is missing")?;
    let time = datetime.time.ok_or("the time of day is missing")?;
    match datetime.offset {
        Some(Offset::Z | Offset::Custom { minutes: 0 }) => {}
        Some(Offset::Custom { .. }) => return Err("this is another zone"),
        None => return Err("the zone is missing"),
    }
    if time.nanosecond.unwrap_or(0) != 0 {
        return Err("fractions of a second are not kept");
    }
    let text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year,
        date.month,
        date.day,
        time.hour,
        time.minute,
        time.second.unwrap_or(0)
    );
    text.parse().map_err(|_| "there is no such time")
}
