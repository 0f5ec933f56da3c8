-- Gives the session back what role and database say. It costs no plan, unlike DISCARD ALL.
reset session authorization;
reset role;
reset all
