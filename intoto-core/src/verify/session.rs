//! The session: typed stages from the bytes of a layout to a verdict.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::limits::Limits;
use crate::rules::RuleWork;
#[cfg(feature = "x509")]
use crate::verdict::Finding;
use crate::verdict::{FindingCode, Location, Verdict};

use super::evidence::{Admitted, EvidenceFile, EvidenceRequest, Times, Wanted};
use super::extent::Extent;
use super::freshness::TrustedLayout;
use super::gather::{self, Delegation};
use super::inspections::{self, InspectionAnswer, InspectionRequest};
use super::layer::Layer;
use super::policy::Policy;
use super::problem::Problem;
use super::search::EvidenceSearch;
use super::{conclude, judge, sublayout, trust};

/// Where a verification starts.
///
/// See the [module](super) for the whole way.
#[derive(Debug)]
pub struct Session(());

/// What the session wants next, or what it decided.
#[derive(Debug)]
#[must_use = "a verification that is not carried on decides nothing"]
pub enum Progress {
    /// Link files are wanted.
    Evidence(Gathering),
    /// The steps verify, and inspections are to be carried out.
    Inspections(Inspecting),
    /// The end.
    Decided(Verdict),
}

/// A session that waits for link files.
#[derive(Debug)]
pub struct Gathering {
    state: State,
    request: EvidenceRequest,
}

/// A session that waits for inspections.
#[derive(Debug)]
pub struct Inspecting {
    state: State,
    requests: Vec<InspectionRequest>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) policy: Policy,
    pub(super) layers: Vec<Layer>,
    limits: Arc<Limits>,
    /// The first layer whose links have not been asked for.
    new_layers: usize,
    /// How many links all layers have a place for.
    places: usize,
    /// What was supplied so far.
    taken: Extent,
    pub(super) work: RuleWork,
}

impl Session {
    /// Judges the layout's signatures and age, and says which evidence it wants. Nothing is read from a layout before all owner
    /// keys' signatures on it verify.
    pub fn begin(layout: &[u8], policy: Policy) -> Progress {
        Self::begin_with_bundles(layout, &[], policy)
    }

    /// As [`Self::begin`], with the Sigstore bundles that lie beside the layout, by which owners have signed who are identities, or whose keys are not among
    /// those of the layout's own signatures. A bundle that is by nobody who is asked for says nothing.
    pub fn begin_with_bundles(layout: &[u8], bundles: &[&[u8]], policy: Policy) -> Progress {
        let authentic = match trust::owner_signed(layout, bundles, &policy) {
            Ok(authentic) => authentic,
            Err(findings) => return Progress::Decided(conclude::untrusted(&policy, findings)),
        };
        #[cfg(feature = "x509")]
        if policy.intermediates.len() > policy.limits.certificate_authorities {
            let (found, limit) = (policy.intermediates.len(), policy.limits.certificate_authorities);
            let message = format!("{found} intermediate certificates were given, at most {limit} are allowed");
            let finding = Finding::undecided(FindingCode::LimitExceeded, message);
            return Progress::Decided(conclude::untrusted(&policy, alloc::vec![finding]));
        }
        let trusted = TrustedLayout::establish(authentic, policy.reference_time, &policy.parameters);
        let trusted = match trusted {
            Ok(trusted) => trusted,
            Err(problem) => {
                return Progress::Decided(conclude::untrusted(&policy, alloc::vec![problem.into_finding()]));
            }
        };
        let limits = Arc::new(policy.limits.clone());
        // Before there is a place for each: some bytes of a layout can ask for a million links.
        let Some(places) = gather::count(trusted.0.layout(), limits.total_links) else {
            let finding = too_many_links(&limits).into_finding();
            return Progress::Decided(conclude::untrusted(&policy, alloc::vec![finding]));
        };
        let layers = alloc::vec![Layer::new(trusted, Arc::from([]), None)];
        let work = RuleWork::new(&limits);
        State {
            policy,
            layers,
            limits,
            new_layers: 0,
            places,
            taken: Extent::default(),
            work,
        }
        .advance()
    }
}

impl Gathering {
    /// The link files that are wanted now.
    pub fn request(&self) -> &EvidenceRequest {
        &self.request
    }

    /// Goes on with these files; those that are not among them do not exist. Their order means nothing.
    pub fn supply(self, files: impl IntoIterator<Item = Admitted>) -> Result<Progress, SupplyError> {
        let Self { mut state, request } = self;
        let mut supplied: Vec<Option<Admitted>> = request.files.iter().map(|_| None).collect();
        // By name, so that the order in which a directory lists its files means nothing.
        let mut found: Vec<BTreeMap<String, Admitted>> = request.searches.iter().map(|_| BTreeMap::new()).collect();
        for file in files {
            let is_answer = match file.wanted {
                Wanted::Named { file: index } => {
                    (request.files.get(index)).is_some_and(|wanted| wanted.is_answered_by(&file))
                }
                Wanted::Found { search } => {
                    (request.searches.get(search)).is_some_and(|search| search.is_answered_by(&file))
                }
            };
            let is_there = match file.wanted {
                Wanted::Named { file: index } => supplied.get(index).is_some_and(Option::is_some),
                Wanted::Found { search } => found.get(search).is_some_and(|found| found.contains_key(&file.name)),
            };
            match (is_answer, is_there) {
                (false, _) => return Err(SupplyError::Foreign { name: file.name }),
                (true, true) => return Err(SupplyError::Twice { name: file.name }),
                (true, false) => {}
            }
            match file.wanted {
                Wanted::Named { file: index } => {
                    if let Some(place) = supplied.get_mut(index) {
                        *place = Some(file);
                    }
                }
                Wanted::Found { search } => {
                    if let Some(found) = found.get_mut(search) {
                        found.insert(file.name.clone(), file);
                    }
                }
            }
        }
        let all = supplied.iter().flatten().chain(found.iter().flat_map(BTreeMap::values));
        state.taken = all.fold(state.taken, |taken, admitted| taken.plus(admitted.extent));
        if let Some((what, limit)) = state.taken.beyond(&state.limits) {
            // Nothing of it is taken, so that it does not matter where the caller stopped reading.
            if let Some(layer) = state.layers.get_mut(request.layer()) {
                layer.over_limit(what, limit);
            }
            return Ok(Progress::Decided(conclude::without_inspections(state)));
        }
        state.take(&request, supplied, found);
        Ok(state.advance())
    }
}

impl Inspecting {
    /// The inspections that are wanted: those of sublayouts first, each layout's in its order.
    pub fn requests(&self) -> &[InspectionRequest] {
        &self.requests
    }

    /// Ends with these answers; an inspection that is not among them was not run. Their order means nothing.
    pub fn supply(self, answers: impl IntoIterator<Item = InspectionAnswer>) -> Result<Verdict, SupplyError> {
        let Self { state, requests } = self;
        let mut supplied: Vec<Option<InspectionAnswer>> = requests.iter().map(|_| None).collect();
        for answer in answers {
            let wanted = requests
                .get(answer.index)
                .filter(|wanted| wanted.is_answered_by(&answer));
            let place = supplied.get_mut(answer.index).filter(|_| wanted.is_some());
            let Some(place) = place else {
                return Err(SupplyError::Foreign {
                    name: answer.name.as_str().into(),
                });
            };
            if place.is_some() {
                return Err(SupplyError::Twice {
                    name: answer.name.as_str().into(),
                });
            }
            *place = Some(answer);
        }
        let answers = requests.into_iter().zip(supplied);
        Ok(conclude::with_inspections(state, answers))
    }
}

/// An answer that cannot be taken: a fault of the caller, not of the evidence, so that nothing is decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SupplyError {
    /// It answers another request than the present one.
    #[error("`{name}` was not asked for in this request")]
    Foreign {
        /// The file or inspection.
        name: String,
    },
    /// It is there twice, so that the order would decide.
    #[error("`{name}` was supplied twice")]
    Twice {
        /// The file or inspection.
        name: String,
    },
}

impl State {
    /// Takes what the files of one round say, in the order in which they were asked for.
    fn take(
        &mut self,
        request: &EvidenceRequest,
        supplied: Vec<Option<Admitted>>,
        found: Vec<BTreeMap<String, Admitted>>,
    ) {
        let mut delegations = Vec::new();
        for (file, admitted) in request.files.iter().zip(supplied) {
            let (Some(admitted), Some(layer)) = (admitted, self.layers.get_mut(file.layer)) else {
                continue;
            };
            gather::take(file, admitted, layer, &mut delegations);
        }
        for (search, found) in request.searches.iter().zip(found) {
            let Some(layer) = self.layers.get_mut(search.layer) else {
                continue;
            };
            self.places = self.places.saturating_add(found.len());
            if found.len() > self.limits.found_links {
                layer.over_limit("links of one step by unknown keys", self.limits.found_links);
                continue;
            }
            if self.places > self.limits.total_links {
                layer.over_limit("links", self.limits.total_links);
                continue;
            }
            for admitted in found.into_values() {
                gather::take_found(search, admitted, layer, &mut delegations);
            }
        }
        for delegation in delegations {
            self.delegate(delegation);
        }
    }

    fn delegate(&mut self, delegation: Delegation) {
        let Delegation { place, path, layout } = delegation;
        let Some(parent) = self.layers.get(place.layer) else {
            return;
        };
        // Before there is a place for each, as with the owner's layout.
        let left = self.limits.total_links.saturating_sub(self.places);
        let opened = match gather::count(&layout.layout, left) {
            Some(places) => sublayout::open(&self.layers, parent, layout, &self.limits).map(|opened| (opened, places)),
            None => Err(too_many_links(&self.limits)),
        };
        match opened {
            Ok((trusted, places)) => {
                self.places = self.places.saturating_add(places);
                self.layers.push(Layer::new(trusted, path, Some(place)));
            }
            Err(problem) => {
                let location = Location {
                    layer: path.to_vec(),
                    ..Location::default()
                };
                let message = format!("the sublayout does not verify: {}", problem.message);
                let refused = Problem {
                    code: FindingCode::SublayoutRefused,
                    severity: problem.severity,
                    message,
                };
                let Some(parent) = self.layers.get_mut(place.layer) else {
                    return;
                };
                parent.findings.push(problem.into_finding().at(location));
                if let Some(slot) = parent.slot_mut(place) {
                    slot.refuse(refused);
                }
            }
        }
    }

    /// Asks for the links of new layers, which were counted before there were any; once there are none, judges.
    fn advance(mut self) -> Progress {
        let mut files: Vec<EvidenceFile> = Vec::new();
        #[cfg_attr(
            not(feature = "x509"),
            expect(unused_mut, reason = "nothing is searched for without certificates")
        )]
        let mut searches: Vec<EvidenceSearch> = Vec::new();
        for (number, layer) in self.layers.iter().enumerate().skip(self.new_layers) {
            let verifier = self.policy.identity_verifier.as_ref();
            let times = Times {
                at: layer.trusted.reference_time(),
                signed_before: self.policy.signed_before,
            };
            let by = (verifier, times);
            files.extend(gather::files(layer, number, files.len(), by, &self.limits));
            #[cfg(feature = "x509")]
            searches.extend(gather::searches(
                layer,
                number,
                searches.len(),
                (&self.policy.intermediates, times),
                &self.limits,
            ));
        }
        self.new_layers = self.layers.len();
        if files.is_empty() && searches.is_empty() {
            return self.judge();
        }
        let request = EvidenceRequest {
            files,
            searches,
            taken: self.taken,
            limits: self.limits.clone(),
        };
        Progress::Evidence(Gathering { state: self, request })
    }

    /// Judges every layer, sublayouts before the layouts that they are part of.
    fn judge(mut self) -> Progress {
        for number in (0..self.layers.len()).rev() {
            let (above, layer) = self.layers.split_at_mut(number);
            let Some(layer) = layer.first_mut() else { continue };
            judge::steps(layer, self.policy.command_difference, &mut self.work);
            if let Some(place) = layer.delegated_by
                && let Some(parent) = above.get_mut(place.layer)
            {
                sublayout::report_to(parent, place, layer);
            }
        }
        if self.layers.iter().any(Layer::failed) {
            return Progress::Decided(conclude::without_inspections(self));
        }
        let inspections = self.layers.iter().map(|layer| layer.inspections.len());
        if inspections.sum::<usize>() > self.limits.total_inspections {
            for layer in &mut self.layers {
                inspections::none_of_too_many(layer, self.limits.total_inspections);
            }
            return Progress::Decided(conclude::without_inspections(self));
        }
        let requests = InspectionRequest::all(&self.layers);
        if requests.is_empty() {
            return Progress::Decided(conclude::with_inspections(self, core::iter::empty()));
        }
        Progress::Inspections(Inspecting { state: self, requests })
    }
}

fn too_many_links(limits: &Limits) -> Problem {
    let message = format!("the verification needs more than {} links", limits.total_links);
    Problem::undecided(FindingCode::LimitExceeded, message)
}
