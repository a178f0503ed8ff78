//! Tasks on views and client profiles, on Matrix and searches.

use super::{Needs, Run, TaskRow};
use crate::rest::effects;

/// Their rows.
pub static TASKS: &[TaskRow] = &[
    TaskRow {
        id: "ApplyViewToView",
        display: "Apply another view",
        parameters: "viewToApply!:@views clientId:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::views::apply),
    },
    TaskRow {
        id: "ClearView",
        display: "Clear the view",
        parameters: "clientId!:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::views::clear),
    },
    TaskRow {
        id: "ClearViewItem",
        display: "Clear an item of the view",
        parameters: "viewItemId!:g clientId:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::views::clear_item),
    },
    TaskRow {
        id: "ClientProfileUpPriority",
        display: "Higher priority",
        parameters: "",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::views::profile_up),
    },
    TaskRow {
        id: "ClientProfileDownPriority",
        display: "Lower priority",
        parameters: "",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::views::profile_down),
    },
    TaskRow {
        id: "MatrixCommand",
        display: "Send a command",
        parameters: "matrixCommandType!:s matrixCameraList!:s",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::views::matrix_command),
    },
    TaskRow {
        id: "UpdateSaveSearch",
        display: "Update a search",
        parameters: "id!:g name:s description:s availability:{Private|Public} includesScopeItems:b \
                     searchQuery:s",
        needs: Needs::Write,
        changes: true,
        run: Run::Now(effects::searches::update),
    },
    TaskRow {
        id: "GetSaveSearch",
        display: "Get a search",
        parameters: "id!:g",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::searches::get),
    },
    TaskRow {
        id: "FindSaveSearches",
        display: "Find searches",
        parameters: "keywordFilter!:s privateOnly:b startIndex:i count:i",
        needs: Needs::Sight,
        changes: false,
        run: Run::Now(effects::searches::find),
    },
];
