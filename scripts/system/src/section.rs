//! Typed reading of one section of the manifest.

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::diagnostic::{Diagnostics, Span};
use super::key::Kind;
use super::memory;

/// One section: a table, of which kind it is, and where its header stands.
pub struct Section<'a> {
    /// Which keys it may have.
    pub kind: &'static Kind,
    /// Where its header stands.
    pub span: Span,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// The section in `table`. Unknown keys are reported at once.
    pub fn new(kind: &'static Kind, span: Span, table: &'a DeTable<'a>, diagnostics: &mut Diagnostics<'_>) -> Self {
        for key in table.keys() {
            let name: &str = key.get_ref();
            if kind.keys.iter().all(|known| known.name != name) {
                diagnostics.error(key.span(), format!("unknown key `{}`", name.escape_debug()), kind.help(name));
            }
        }
        Self { kind, span, table }
    }

    /// The value of `key`, if present.
    pub fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    /// Reports `key` as missing unless it is there.
    pub fn require(&self, key: &str, diagnostics: &mut Diagnostics<'_>) {
        if self.value(key).is_none() {
            let example = self.kind.example(key);
            let help = match self.kind.is_in_braces() {
                true => format!("write it like `{example}` inside its braces"),
                false => format!("add a line like `{example}`"),
            };
            diagnostics.error(self.span.clone(), format!("{} without `{key}`", self.kind.title), help);
        }
    }

    /// The string at `key`; none if it is absent or, which is reported, something else.
    pub fn string(&self, key: &str, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<String>> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some(text) => Some(Spanned::new(value.span(), text.to_owned())),
            None => self.wrong_type(key, value, "a string", diagnostics),
        }
    }

    /// The truth value at `key`; none if it is absent or, which is reported, something else.
    pub fn boolean(&self, key: &str, diagnostics: &mut Diagnostics<'_>) -> Option<bool> {
        let value = self.value(key)?;
        value.get_ref().as_bool().or_else(|| self.wrong_type(key, value, "true or false", diagnostics))
    }

    /// The same, with its place.
    pub fn spanned_boolean(&self, key: &str, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<bool>> {
        let span = self.value(key)?.span();
        Some(Spanned::new(span, self.boolean(key, diagnostics)?))
    }

    /// The number at `key`; none if it is absent or, which is reported, something else or beyond 64 bits.
    pub fn number(&self, key: &str, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<u64>> {
        let value = self.value(key)?;
        match value.get_ref().as_integer() {
            Some(integer) => self.unsigned(key, value.span(), integer, diagnostics),
            None => self.wrong_type(key, value, "a number", diagnostics),
        }
    }

    /// The bytes of the amount at `key`, as `"96M"` or as a number; none if it is absent or, which is reported, something else.
    pub fn amount(&self, key: &str, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<u64>> {
        let value = self.value(key)?;
        let example = self.kind.example(key);
        match value.get_ref() {
            DeValue::Integer(integer) => self.unsigned(key, value.span(), integer, diagnostics),
            DeValue::String(text) => {
                let bytes = memory::parse(text);
                if bytes.is_none() {
                    let help = format!("write {example}, {key} = \"1G\" or a number of bytes without quotes");
                    diagnostics.error(value.span(), format!("{text:?} is not an amount of bytes"), help);
                }
                bytes.map(|bytes| Spanned::new(value.span(), bytes))
            }
            _ => {
                let amount = example.rsplit(" = ").next().unwrap_or(example);
                self.wrong_type(key, value, &format!("an amount like {amount} or a number of bytes"), diagnostics)
            }
        }
    }

    /// The items of the list at `key`; none if it is absent or, which is reported, not a list.
    pub fn list(
        &self,
        key: &str,
        what: &str,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Spanned<&'a [Spanned<DeValue<'a>>]>> {
        let value = self.value(key)?;
        match value.get_ref().as_array() {
            Some(array) => Some(Spanned::new(value.span(), &array[..])),
            None => self.wrong_type(key, value, what, diagnostics),
        }
    }

    /// The list of strings at `key`; items that are something else are reported and left out.
    pub fn strings(&self, key: &str, diagnostics: &mut Diagnostics<'_>) -> Option<Spanned<Vec<Spanned<&'a str>>>> {
        let list = self.list(key, "a list of strings", diagnostics)?;
        let mut strings = Vec::new();
        for item in *list.get_ref() {
            match item.get_ref().as_str() {
                Some(text) => strings.push(Spanned::new(item.span(), text)),
                None => self.wrong_type(key, item, "a list of strings", diagnostics).unwrap_or_default(),
            }
        }
        Some(Spanned::new(list.span(), strings))
    }

    /// The table at `key`, as a section of the kind `kind`.
    pub fn section(&self, key: &str, kind: &'static Kind, diagnostics: &mut Diagnostics<'_>) -> Option<Section<'a>> {
        let value = self.value(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Section::new(kind, value.span(), table, diagnostics)),
            None => self.wrong_type(key, value, "a section", diagnostics),
        }
    }

    /// The list of tables at `key`, as sections of the kind `kind`.
    pub fn sections(&self, key: &str, kind: &'static Kind, diagnostics: &mut Diagnostics<'_>) -> Vec<Section<'a>> {
        let what = "a list of sections";
        let list = self.list(key, what, diagnostics);
        let mut sections = Vec::new();
        for item in list.iter().flat_map(|list| list.get_ref().iter()) {
            match item.get_ref().as_table() {
                Some(table) => sections.push(Section::new(kind, item.span(), table, diagnostics)),
                None => self.wrong_type(key, item, what, diagnostics).unwrap_or_default(),
            }
        }
        sections
    }

    /// `integer` as an unsigned number of 64 bits; what does not fit is reported.
    pub fn unsigned(
        &self,
        key: &str,
        span: Span,
        integer: &DeInteger<'_>,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Spanned<u64>> {
        if let Ok(number) = u64::from_str_radix(integer.as_str(), integer.radix()) {
            return Some(Spanned::new(span, number));
        }
        let message = format!("{integer} in `{key}` is out of range");
        diagnostics.error(span, message, "numbers are from 0 to 18446744073709551615");
        None
    }

    /// Reports that `value`, at `key` or in its list, is not `expected`. Always none, to end a reader's expression.
    pub fn wrong_type<T>(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        expected: &str,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a section",
        };
        let help = format!("write it like `{}`", self.kind.example(key));
        diagnostics.error(value.span(), format!("`{key}` is {expected}, but here is {found}"), help);
        None
    }
}
