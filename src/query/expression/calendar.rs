//! The calendar: milliseconds since 1970 as years, months, days, and back.
//!
//! Not time zones: whoever has an offset adds it before. Source of the two conversions: Howard Hinnant, "chrono-Compatible
//! Low-Level Date Algorithms" (<https://howardhinnant.github.io/date_algorithms.html>).

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// A day of the Gregorian calendar, and the time of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// From 1.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
    /// Milliseconds since midnight.
    pub(super) time_ms: i64,
}

impl Civil {
    pub(super) fn of(ms: i64) -> Civil {
        let shifted = ms.div_euclid(DAY_MS) + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Civil { year, month, day, time_ms: ms.rem_euclid(DAY_MS) }
    }

    pub(super) fn ms(self) -> i64 {
        self.days() * DAY_MS + self.time_ms
    }

    /// Days since 1970-01-01.
    pub(super) fn days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let of_year = (153 * ((self.month + 9) % 12) + 2) / 5 + self.day - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
    }

    /// Months since the year 2000.
    pub(super) const fn months(self) -> i64 {
        (self.year - 2000) * 12 + self.month - 1
    }

    /// The first day of a month, counted from the year 2000.
    pub(super) const fn first_of(months: i64) -> Civil {
        Civil { year: 2000 + months.div_euclid(12), month: months.rem_euclid(12) + 1, day: 1, time_ms: 0 }
    }

    /// From 1.
    pub(super) fn day_of_year(self) -> i64 {
        self.days() - Civil { month: 1, day: 1, ..self }.days() + 1
    }

    /// From Monday, 1, to Sunday, 7.
    pub(super) fn iso_weekday(self) -> i64 {
        iso_weekday(self.days())
    }

    /// The ISO week and the year that it belongs to: those of its Thursday.
    pub(super) fn iso_week(self) -> (i64, i64) {
        let thursday = Civil::of((self.days() + 4 - self.iso_weekday()) * DAY_MS);
        ((thursday.day_of_year() - 1) / 7 + 1, thursday.year)
    }
}

/// Of the day so many days after 1970-01-01, a Thursday.
pub(super) const fn iso_weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// Days of a month that is counted from the year 2000.
pub(super) fn days_in(months: i64) -> i64 {
    Civil::first_of(months + 1).days() - Civil::first_of(months).days()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_comes_back_and_follows_the_one_before() {
        let mut before = Civil::of(-800_001 * DAY_MS);
        for days in -800_000..800_000 {
            let civil = Civil::of(days * DAY_MS + 7);
            assert_eq!(civil.ms(), days * DAY_MS + 7);
            let next_day = civil.day == before.day + 1 && civil.month == before.month;
            let next_month = civil.day == 1 && (civil.month == before.month + 1 || civil.month == 1);
            assert!(next_day || next_month, "{before:?} {civil:?}");
            before = civil;
        }
        let leap = Civil::of(951_782_400_000);
        assert_eq!((leap.year, leap.month, leap.day, leap.day_of_year()), (2000, 2, 29, 60));
    }

    #[test]
    fn iso_weeks_belong_to_the_year_of_their_thursday() {
        let week = |year, month, day| Civil { year, month, day, time_ms: 0 }.iso_week();
        assert_eq!(week(2021, 1, 3), (53, 2020));
        assert_eq!(week(2021, 1, 4), (1, 2021));
        assert_eq!(week(2018, 12, 31), (1, 2019));
    }
}
