//! Judgement of the schema and of the role that serves.

use super::super::super::evidence::{Role, Schema};
use super::super::super::finding::Finding;
use super::super::judge;
use super::{place, sound};

#[test]
fn the_role_that_a_cluster_was_made_with_is_not_told_to_give_up_its_powers() {
    for (first, words) in [
        (false, "alter role warrior nosuperuser"),
        (true, "set POSTGRES_USER"),
    ] {
        let mut evidence = sound();
        let role = Role {
            powers: vec!["superuser".to_owned()],
            first,
            ..Role::default()
        };
        evidence.schema = Ok(Schema {
            role: Some(role),
            ..Schema::default()
        });
        let findings = judge(&evidence, &place());
        let mighty = |finding: &&Finding| finding.kind.name == "role-too-mighty";
        let mend = &findings.iter().find(mighty).unwrap().mend;
        assert!(mend.contains(words), "{mend}");
        assert_eq!(mend.contains("alter role"), !first, "{mend}");
    }
}
